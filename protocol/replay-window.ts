/**
 * The sliding window of RFC 6479: which of the last counters were taken. A ring of bits of which whole 32-bit blocks are
 * recycled, so that moving forward shifts nothing; one block more than the window, since the newest is only part full.
 * {@link mayTake} before the tag is checked saves work; {@link take} only after it, or a forger could move the window.
 */
const blockBits = 32;

export class ReplayWindow {
  readonly #width: number;
  readonly #ring: Uint32Array;
  #highest = -1;

  /** @param width how many counters back from the highest can still be told apart */
  constructor(width: number) {
    this.#width = width;
    this.#ring = new Uint32Array(Math.ceil(width / blockBits) + 1);
  }

  /** True for a counter that is new and not too old to tell. */
  mayTake(counter: number): boolean {
    if (counter > this.#highest) return true;
    if (this.#highest - counter >= this.#width) return false;
    return (this.#ring[this.#slotOf(counter)]! & maskOf(counter)) === 0;
  }

  /** Marks a counter; false when it must be refused. */
  take(counter: number): boolean {
    if (!this.mayTake(counter)) return false;
    if (counter > this.#highest) {
      this.#clearBetween(this.#highest, counter);
      this.#highest = counter;
    }
    this.#ring[this.#slotOf(counter)]! |= maskOf(counter);
    return true;
  }

  #clearBetween(from: number, to: number): void {
    const blocks = this.#ring.length;
    const first = Math.floor(from / blockBits) + 1;
    const last = Math.floor(to / blockBits);
    const count = Math.min(last - first + 1, blocks);
    for (let n = 0; n < count; n++) this.#ring[(last - n) % blocks] = 0;
  }

  #slotOf(counter: number): number {
    return Math.floor(counter / blockBits) % this.#ring.length;
  }
}

function maskOf(counter: number): number {
  return 1 << (counter % blockBits);
}
