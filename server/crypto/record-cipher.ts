/**
 * ChaCha20-Poly1305 (RFC 8439) under one key with a counter of its own, on node:crypto: the server's Sealer and Opener.
 * No caller ever names a nonce. A wiped key seals and opens nothing.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { assertLength, copy, wipe } from '../../protocol/bytes.ts';
import type { Opener, Sealer } from '../../protocol/crypto.ts';
import { keyBytes, maxRecordsPerKey, tagBytes } from '../../protocol/limits.ts';
import { plain } from './plain.ts';

const algorithm = 'chacha20-poly1305';
const options = { authTagLength: tagBytes };

/** A key and the number of times it was used. */
class CountedKey {
  #key: Uint8Array | undefined;
  readonly #nonce = new Uint8Array(12);
  count = 0;

  constructor(key: Uint8Array) {
    assertLength('key', key, keyBytes);
    this.#key = copy(key);
  }

  /** @throws RangeError when there is no next nonce. */
  next(): { key: Uint8Array; nonce: Uint8Array } {
    if (this.#key === undefined) throw new RangeError('this key was wiped');
    if (this.count >= maxRecordsPerKey) throw new RangeError('this key is used up');
    // The limit keeps the counter within 32 bits, so the upper half of the u64 stays zero.
    new DataView(this.#nonce.buffer).setUint32(4, this.count, true);
    return { key: this.#key, nonce: this.#nonce };
  }

  wipe(): void {
    wipe(this.#key);
    this.#key = undefined;
  }
}

export class NodeSealer implements Sealer {
  readonly #counted: CountedKey;

  constructor(key: Uint8Array) {
    this.#counted = new CountedKey(key);
  }

  get count(): number {
    return this.#counted.count;
  }

  seal(ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const { key, nonce } = this.#counted.next();
    const cipher = createCipheriv(algorithm, key, nonce, options);
    cipher.setAAD(ad, { plaintextLength: plaintext.length });
    const sealed = new Uint8Array(plaintext.length + tagBytes);
    sealed.set(cipher.update(plaintext));
    cipher.final();
    sealed.set(cipher.getAuthTag(), plaintext.length);
    this.#counted.count++;
    return sealed;
  }

  wipe(): void {
    this.#counted.wipe();
  }
}

export class NodeOpener implements Opener {
  readonly #counted: CountedKey;

  constructor(key: Uint8Array) {
    this.#counted = new CountedKey(key);
  }

  get count(): number {
    return this.#counted.count;
  }

  open(ad: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    const { key, nonce } = this.#counted.next();
    const length = sealed.length - tagBytes;
    if (length < 0) return null;
    const decipher = createDecipheriv(algorithm, key, nonce, options);
    decipher.setAAD(ad, { plaintextLength: length });
    decipher.setAuthTag(sealed.subarray(length));
    const plaintext = plain(decipher.update(sealed.subarray(0, length)));
    try {
      decipher.final();
    } catch {
      wipe(plaintext); // deciphered, but nobody vouched for it
      return null;
    }
    this.#counted.count++;
    return plaintext;
  }

  wipe(): void {
    this.#counted.wipe();
  }
}
