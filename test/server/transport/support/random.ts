/** Repeatable randomness for tests. The seed is printed when a test that used it fails, if it hands it to its messages. */
export class Random {
  readonly seed: number;
  #state: number;

  constructor(seed = Number(process.env['TEST_SEED'] ?? Date.now() % 2 ** 32)) {
    this.seed = seed;
    this.#state = seed >>> 0 || 1;
  }

  /** xorshift32: 0 <= n < 2^32. */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  below(limit: number): number {
    return this.next() % limit;
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(length);
    for (let i = 0; i < length; i++) out[i] = this.next() >>> 8;
    return out;
  }
}

/** A record as the transport sees it: header and ciphertext. */
export function record(content: Uint8Array): Uint8Array {
  const frame = new Uint8Array(4 + content.length);
  frame.set([0x17, 0, content.length >> 8, content.length & 0xff]);
  frame.set(content, 4);
  return frame;
}
