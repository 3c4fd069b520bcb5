/**
 * Ed25519 verification on node:crypto under the strict rule of protocol/ed25519-strict.ts.
 * OpenSSL 3.5 already refuses what the rule refuses; older ones do not, and a rule that is written down outlives a library.
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { assertLength } from '../../protocol/bytes.ts';
import { passesStrictRule } from '../../protocol/ed25519-strict.ts';
import { ed25519PublicBytes } from '../../protocol/limits.ts';

/** A raw 32-byte key as node:crypto wants it. Fails on verification, not here, when it is no point of the curve. */
export function ed25519PublicKey(raw: Uint8Array): KeyObject {
  assertLength('Ed25519 public key', raw, ed25519PublicBytes);
  return createPublicKey({ key: raw, format: 'raw-public', asymmetricKeyType: 'ed25519' });
}

/** False for every key or signature that is not exactly right; never throws on hostile bytes. */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (!passesStrictRule(publicKey, signature)) return false;
  try {
    return verify(null, message, ed25519PublicKey(publicKey), signature);
  } catch {
    return false; // not a point: OpenSSL answers with an exception
  }
}
