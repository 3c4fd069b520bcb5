/**
 * What somebody proves themselves by outside the tunnel: their device key or, for a guest without one, the secret of
 * their link (docs/protocol.md, "WebAuthn and the tunnel", step 7). Both sign the same messages.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { utf8 } from '../../protocol/bytes.ts';
import { verifyEd25519 } from '../crypto/ed25519.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';

export interface Holder {
  /** Stands in challenges and credentials. */
  readonly keyHash: Uint8Array;
  /** Whether `proof` is theirs over this message. */
  proves(message: Uint8Array, proof: Uint8Array): boolean;
}

/** @param publicKey Ed25519 */
export function deviceHolder(publicKey: Uint8Array): Holder {
  return {
    keyHash: nodeCrypto.sha256(publicKey),
    proves: (message, signature) => verifyEd25519(publicKey, message, signature),
  };
}

/** SHA-256 of a link's id, which stands where a device's key hash would. */
export function linkKeyHash(link: string): Uint8Array {
  return nodeCrypto.sha256(utf8(link));
}

/** @param secret the bytes of the link's secret, as the guest has just told it; it is nowhere kept. */
export function linkHolder(link: string, secret: Uint8Array): Holder {
  return {
    keyHash: linkKeyHash(link),
    proves(message, proof) {
      const right = createHmac('sha256', secret).update(message).digest();
      return proof.length === right.length && timingSafeEqual(right, proof);
    },
  };
}
