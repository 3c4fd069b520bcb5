/**
 * Spreads a window over its round trip instead of sending it at once, so that queues on the way stay short. The rate is
 * the window over the smoothed round trip, and a quarter more (twice in slow start), so that it never is what limits.
 * A timer's tick brings as much as fits one; round trips of a few ticks are not worth pacing.
 */
import { PACED_FROM_MS, PACING_BURST_MS } from './limits.ts';

export class Pacer {
  /** When what was sent would have left at the rate. */
  #freeAt = 0;

  /** Milliseconds until the next segment may go; 0 when it may at once. */
  waitMs(now: number): number {
    return Math.max(0, this.#freeAt - now - PACING_BURST_MS);
  }

  /** @param smoothedMs below 0 while no round trip was measured */
  sent(bytes: number, now: number, window: number, smoothedMs: number, slowStart: boolean): void {
    if (smoothedMs < PACED_FROM_MS) {
      this.#freeAt = 0;
      return;
    }
    const bytesPerMs = ((slowStart ? 2 : 1.25) * window) / smoothedMs;
    this.#freeAt = Math.max(this.#freeAt, now) + bytes / bytesPerMs;
  }
}
