/**
 * id-MLDSA65-Ed25519-SHA512 on node:crypto (protocol/composite.ts has the pure half): keys from seeds, signing, verifying.
 * ML-DSA signs in the hedged variant, as OpenSSL does by default. Not for keeping keys: whoever owns one stores its seeds.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto';
import { assertLength } from '../../protocol/bytes.ts';
import {
  compositeLabel,
  compositeMessage,
  joinComposite,
  splitPublicKey,
  splitSignature,
} from '../../protocol/composite.ts';
import type { Signer } from '../../protocol/crypto.ts';
import { verifyEd25519 } from './ed25519.ts';
import { plain } from './plain.ts';

/** The whole private key: two 32-byte seeds. Its owner stores and wipes it. */
export type CompositeSeeds = { readonly mldsa: Uint8Array; readonly ed25519: Uint8Array };

/** A new key. The seeds are for storage; nothing else ever exports them. */
export function generateComposite(): { readonly seeds: CompositeSeeds; readonly signer: Signer } {
  const seeds = { mldsa: plain(randomBytes(32)), ed25519: plain(randomBytes(32)) };
  return { seeds, signer: compositeFromSeeds(seeds.mldsa, seeds.ed25519) };
}

/** The signer of stored seeds. Keeps no reference to them. */
export function compositeFromSeeds(mldsaSeed: Uint8Array, ed25519Seed: Uint8Array): Signer {
  assertLength('ML-DSA seed', mldsaSeed, 32);
  assertLength('Ed25519 seed', ed25519Seed, 32);
  return new NodeSigner(
    createPrivateKey({ key: mldsaSeed, format: 'raw-seed', asymmetricKeyType: 'ml-dsa-65' }),
    createPrivateKey({ key: ed25519Seed, format: 'raw-private', asymmetricKeyType: 'ed25519' }),
  );
}

/** Private fields only: printing a signer prints its public key. */
class NodeSigner implements Signer {
  readonly publicKey: Uint8Array;
  readonly #mldsa: KeyObject;
  readonly #ed25519: KeyObject;

  constructor(mldsa: KeyObject, ed25519: KeyObject) {
    this.#mldsa = mldsa;
    this.#ed25519 = ed25519;
    this.publicKey = joinComposite({ mldsa: rawPublic(mldsa), ed25519: rawPublic(ed25519) });
  }

  async sign(message: Uint8Array, context: string): Promise<Uint8Array> {
    const prime = compositeMessage(sha512(message), context);
    return joinComposite({
      mldsa: sign(null, prime, { key: this.#mldsa, context: compositeLabel }),
      ed25519: sign(null, prime, this.#ed25519),
    });
  }
}

function rawPublic(key: KeyObject): Uint8Array {
  return plain(createPublicKey(key).export({ format: 'raw-public' }));
}

const sha512 = (message: Uint8Array): Uint8Array => createHash('sha512').update(message).digest();

/** Both halves, the cheap one first; false for anything else, never throws on hostile bytes. */
export function verifyComposite(
  publicKey: Uint8Array,
  message: Uint8Array,
  context: string,
  signature: Uint8Array,
): boolean {
  const key = splitPublicKey(publicKey);
  const parts = splitSignature(signature);
  if (key === undefined || parts === undefined) return false;
  const prime = compositeMessage(sha512(message), context);
  return (
    verifyEd25519(key.ed25519, prime, parts.ed25519) && verifyMldsa65(key.mldsa, prime, parts.mldsa, compositeLabel)
  );
}

/** FIPS 204 ML-DSA.Verify with a context string. */
export function verifyMldsa65(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
  context: Uint8Array,
): boolean {
  try {
    const key = createPublicKey({ key: publicKey, format: 'raw-public', asymmetricKeyType: 'ml-dsa-65' });
    return verify(null, message, { key, context }, signature);
  } catch {
    return false; // wrong lengths: OpenSSL answers with an exception
  }
}
