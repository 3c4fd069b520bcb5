/**
 * The server's Sealer and Opener (protocol/crypto.ts): ChaCha20-Poly1305 under one key with a counter of its own.
 * No caller ever names a nonce. A wiped key seals and opens nothing.
 */
import { assertLength, concat, copy, wipe } from '../../protocol/bytes.ts';
import type { DatagramOpener, Opener, Sealer } from '../../protocol/crypto.ts';
import { keyBytes, maxRecordsPerKey } from '../../protocol/limits.ts';
import { openOne, sealOne } from './chacha20-poly1305.ts';

/** A key and the number of times it was used. */
class CountedKey {
  #key: Uint8Array | undefined;
  readonly #nonce = new Uint8Array(12);
  protected used = 0;

  constructor(key: Uint8Array) {
    assertLength('key', key, keyBytes);
    this.#key = copy(key);
  }

  get count(): number {
    return this.used;
  }

  /** The key and its next nonce, 0^4 | counter u64 little-endian. @throws RangeError when there is none. */
  protected next(): { readonly key: Uint8Array; readonly nonce: Uint8Array } {
    if (this.#key === undefined) throw new RangeError('this key was wiped');
    if (this.used >= maxRecordsPerKey) throw new RangeError('this key is used up');
    // The limit keeps the counter within 32 bits, so the upper half of the u64 stays zero.
    new DataView(this.#nonce.buffer).setUint32(4, this.used, true);
    return { key: this.#key, nonce: this.#nonce };
  }

  wipe(): void {
    wipe(this.#key);
    this.#key = undefined;
  }
}

export class NodeSealer extends CountedKey implements Sealer {
  seal(ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const { key, nonce } = this.next();
    this.used++; // before sealing: a nonce counts as used even if OpenSSL throws
    return sealOne(key, nonce, ad, plaintext);
  }

  frame(head: Uint8Array, ad: Uint8Array, plaintext: Uint8Array): Uint8Array<ArrayBuffer> {
    return concat(head, this.seal(ad, plaintext));
  }

  /** The garbage collector does it. */
  release(): void {}
}

export class NodeOpener extends CountedKey implements Opener {
  open(ad: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    const { key, nonce } = this.next();
    const plaintext = openOne(key, nonce, ad, sealed);
    if (plaintext !== null) this.used++;
    return plaintext;
  }
}

/** Knows no counter of its own: each datagram brings one. */
export class NodeDatagramOpener implements DatagramOpener {
  #key: Uint8Array | undefined;
  readonly #nonce = new Uint8Array(12);

  constructor(key: Uint8Array) {
    assertLength('key', key, keyBytes);
    this.#key = copy(key);
  }

  open(counter: number, ad: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    if (this.#key === undefined) throw new RangeError('this key was wiped');
    if (!(counter >= 0 && counter < maxRecordsPerKey)) throw new RangeError('no such counter');
    new DataView(this.#nonce.buffer).setUint32(4, counter, true);
    return openOne(this.#key, this.#nonce, ad, sealed);
  }

  wipe(): void {
    wipe(this.#key);
    this.#key = undefined;
  }
}
