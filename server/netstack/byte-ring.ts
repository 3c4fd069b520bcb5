/**
 * A bounded queue of bytes with random reading from its front: the send buffer (kept until acknowledged, read again
 * to retransmit) and the receive buffer. It grows by doubling and lets go of its memory when it runs empty after
 * having been large, so an idle connection holds little.
 */

const SMALLEST = 4 * 1024;
/** What an empty ring may keep: a turn of the event loop's worth of packets, or it grows anew with each burst. */
const KEPT = 64 * 1024;
const NOTHING = new Uint8Array();

export class ByteRing {
  /** A power of two long, or empty. */
  #bytes: Uint8Array = NOTHING;
  #start = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Bytes of memory held. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** Copies bytes[from, to) to the end; the caller keeps the bound. */
  append(bytes: Uint8Array, from: number, to: number): void {
    const count = to - from;
    if (this.#length + count > this.#bytes.length) this.#grow(this.#length + count);
    const capacity = this.#bytes.length;
    const at = (this.#start + this.#length) & (capacity - 1);
    const first = Math.min(count, capacity - at);
    this.#bytes.set(bytes.subarray(from, from + first), at);
    if (first < count) this.#bytes.set(bytes.subarray(from + first, to));
    this.#length += count;
  }

  /** Copies `count` bytes, `offset` from the front, to target[at…]; they must be there. */
  copy(offset: number, count: number, target: Uint8Array, at: number): void {
    const capacity = this.#bytes.length;
    const from = (this.#start + offset) & (capacity - 1);
    const first = Math.min(count, capacity - from);
    target.set(this.#bytes.subarray(from, from + first), at);
    if (first < count) target.set(this.#bytes.subarray(0, count - first), at + first);
  }

  /** Forgets `count` bytes at the front; they must be there. */
  drop(count: number): void {
    this.#length -= count;
    this.#start = (this.#start + count) & Math.max(0, this.#bytes.length - 1);
    if (this.#length === 0 && this.#bytes.length > KEPT) this.clear();
  }

  /** Forgets everything, memory included. */
  clear(): void {
    this.#bytes = NOTHING;
    this.#start = 0;
    this.#length = 0;
  }

  #grow(needed: number): void {
    let capacity = Math.max(SMALLEST, this.#bytes.length);
    while (capacity < needed) capacity *= 2;
    const bytes = new Uint8Array(capacity);
    if (this.#length > 0) this.copy(0, this.#length, bytes, 0);
    this.#bytes = bytes;
    this.#start = 0;
  }
}
