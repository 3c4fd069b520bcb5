/**
 * ChaCha20-Poly1305 (RFC 8439 section 2.8) on node:crypto, one message at a time. Only record-cipher.ts uses it, which
 * owns the counter: whoever chooses nonces by hand will one day choose one twice.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { assertLength, wipe } from '../../protocol/bytes.ts';
import { tagBytes } from '../../protocol/limits.ts';
import { plain } from './plain.ts';

const algorithm = 'chacha20-poly1305';
const nonceBytes = 12;
const options = { authTagLength: tagBytes };

/** @returns ciphertext | tag */
export function sealOne(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  assertLength('nonce', nonce, nonceBytes); // OpenSSL would take a shorter one and pad it
  const cipher = createCipheriv(algorithm, key, nonce, options);
  cipher.setAAD(ad, { plaintextLength: plaintext.length });
  const sealed = new Uint8Array(plaintext.length + tagBytes);
  sealed.set(cipher.update(plaintext));
  cipher.final();
  sealed.set(cipher.getAuthTag(), plaintext.length);
  return sealed;
}

/** @returns the plaintext, or null when the tag does not match. */
export function openOne(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, sealed: Uint8Array): Uint8Array | null {
  assertLength('nonce', nonce, nonceBytes);
  const length = sealed.length - tagBytes;
  if (length < 0) return null;
  const decipher = createDecipheriv(algorithm, key, nonce, options);
  decipher.setAAD(ad, { plaintextLength: length });
  decipher.setAuthTag(sealed.subarray(length));
  const plaintext = plain(decipher.update(sealed.subarray(0, length)));
  try {
    decipher.final();
    return plaintext;
  } catch {
    wipe(plaintext); // deciphered, but nobody vouched for it
    return null;
  }
}
