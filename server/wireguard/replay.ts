/**
 * The sliding window of RFC 6479: which of the last {@link REPLAY_WINDOW} counters were taken. A ring of bits of which
 * whole 32-bit blocks are recycled, so that moving forward shifts nothing.
 * {@link mayTake} before the tag is checked saves work; {@link take} only after it, or a forger could move the window.
 */
import { REPLAY_RING_BITS, REPLAY_WINDOW } from './limits.ts';

const blockBits = 32;
const blocks = REPLAY_RING_BITS / blockBits;

export class ReplayWindow {
  readonly #ring = new Uint32Array(blocks);
  #highest = -1;

  /** True for a counter that is new and not too old to tell. */
  mayTake(counter: number): boolean {
    if (counter > this.#highest) return true;
    if (this.#highest - counter >= REPLAY_WINDOW) return false;
    return (this.#ring[slotOf(counter)]! & maskOf(counter)) === 0;
  }

  /** Marks a counter; false when it must be refused. */
  take(counter: number): boolean {
    if (!this.mayTake(counter)) return false;
    if (counter > this.#highest) {
      this.#clearBetween(this.#highest, counter);
      this.#highest = counter;
    }
    this.#ring[slotOf(counter)]! |= maskOf(counter);
    return true;
  }

  #clearBetween(from: number, to: number): void {
    const first = Math.floor(from / blockBits) + 1;
    const last = Math.floor(to / blockBits);
    const count = Math.min(last - first + 1, blocks);
    for (let n = 0; n < count; n++) this.#ring[(last - n) % blocks] = 0;
  }
}

function slotOf(counter: number): number {
  return Math.floor(counter / blockBits) % blocks;
}

function maskOf(counter: number): number {
  return 1 << (counter % blockBits);
}
