/**
 * When to ask for cookies (paper section 5.3).
 * Handshakes are computed as they arrive, so load is measured in handshake messages a second, not in a queue's length.
 */
import type { Clock } from '../../protocol/clock.ts';
import { HANDSHAKES_AT_EASE_PER_SECOND, UNDER_LOAD_MS } from './limits.ts';

/** Counts handshake messages whose mac1 holds; others cost next to nothing. */
export class LoadMeter {
  readonly #clock: Clock;
  #windowStart = Number.NEGATIVE_INFINITY;
  #count = 0;
  #busyUntil = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes note of one message; true while the device is under load. */
  note(): boolean {
    const now = this.#clock.monotonic();
    if (now - this.#windowStart >= 1000) {
      this.#windowStart = now;
      this.#count = 0;
    }
    if (++this.#count > HANDSHAKES_AT_EASE_PER_SECOND) this.#busyUntil = now + UNDER_LOAD_MS;
    return now < this.#busyUntil;
  }
}
