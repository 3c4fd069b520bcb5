/**
 * ChaCha20-Poly1305 with WireGuard's nonce, 32 zero bits and the counter as u64 little-endian (paper section 5.4,
 * RFC 8439 section 2.8), on node:crypto. Who owns the counter is the caller's matter: noise.ts and keypair.ts.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { TAG_BYTES } from './limits.ts';

const algorithm = 'chacha20-poly1305';
const options = { authTagLength: TAG_BYTES };
const none = new Uint8Array(0);

function nonceOf(counter: number): Uint8Array {
  const nonce = new Uint8Array(12);
  const view = new DataView(nonce.buffer);
  view.setUint32(4, counter >>> 0, true);
  view.setUint32(8, Math.floor(counter / 2 ** 32), true);
  return nonce;
}

/** Writes ciphertext and tag into `out`, which is 16 bytes longer than `plaintext` and may share its memory. */
export function sealInto(
  out: Uint8Array,
  key: Uint8Array,
  counter: number,
  plaintext: Uint8Array,
  ad: Uint8Array = none,
): void {
  const cipher = createCipheriv(algorithm, key, nonceOf(counter), options);
  if (ad.length > 0) cipher.setAAD(ad, { plaintextLength: plaintext.length });
  out.set(cipher.update(plaintext));
  cipher.final();
  out.set(cipher.getAuthTag(), plaintext.length);
}

/** @returns the plaintext, or null when the tag does not match; nothing of it is released before the check. */
export function open(key: Uint8Array, counter: number, sealed: Uint8Array, ad: Uint8Array = none): Uint8Array | null {
  if (sealed.length < TAG_BYTES) return null;
  const decipher = createDecipheriv(algorithm, key, nonceOf(counter), options);
  if (ad.length > 0) decipher.setAAD(ad, { plaintextLength: sealed.length - TAG_BYTES });
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const plaintext = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
  try {
    decipher.final();
    // Not a Buffer, whose slice() shares memory where the reader of a Uint8Array expects a copy.
    return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.length);
  } catch {
    plaintext.fill(0);
    return null; // node:crypto has no other way to say that a tag is wrong
  }
}
