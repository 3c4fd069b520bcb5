/**
 * A moment of the wall clock that ends something: a credential's last instant. Wall clocks are set back and forth, so
 * it has also passed when the time that was left has gone by on the clock that never jumps; whichever comes first.
 */
import type { Clock } from './clock.ts';

/** A wall clock that was set forward is noticed this soon. Also below 2^31 ms, above which no runtime keeps a timer. */
const lookAgainMs = 60_000;

export class Deadline {
  readonly #clock: Clock;
  readonly #onPassed: () => void;
  #wall = Number.POSITIVE_INFINITY;
  #monotonic = Number.POSITIVE_INFINITY;
  #cancel: () => void = () => {};

  constructor(clock: Clock, onPassed: () => void) {
    this.#clock = clock;
    this.#onPassed = onPassed;
  }

  /** @param at ms since 1970, the first instant that is too late. Replaces the last one. */
  set(at: number): void {
    this.#wall = at;
    this.#monotonic = this.#clock.monotonic() + at - this.#clock.now();
    this.#watch();
  }

  get #restMs(): number {
    return Math.min(this.#wall - this.#clock.now(), this.#monotonic - this.#clock.monotonic());
  }

  #watch(): void {
    this.#cancel();
    const waitMs = Math.max(1, Math.min(this.#restMs, lookAgainMs)); // 1: fractions must not spin
    this.#cancel = this.#clock.after(waitMs, () => {
      if (this.#restMs <= 0) this.#onPassed();
      else this.#watch();
    });
  }

  stop(): void {
    this.#cancel();
  }
}
