/**
 * A moment of the wall clock that ends something: a credential's last instant. Wall clocks jump and timers are bounded
 * (2^31 ms in every runtime), so the timer only asks again; the clock decides.
 */
import type { Clock } from './clock.ts';

const longestTimerMs = 2 ** 31 - 1;

export class Deadline {
  readonly #clock: Clock;
  readonly #onPassed: () => void;
  #at = Number.POSITIVE_INFINITY;
  #cancel: () => void = () => {};

  constructor(clock: Clock, onPassed: () => void) {
    this.#clock = clock;
    this.#onPassed = onPassed;
  }

  /** @param at ms since 1970, the first instant that is too late. Replaces the last one. */
  set(at: number): void {
    this.#at = at;
    this.#watch();
  }

  get isPassed(): boolean {
    return this.#clock.now() >= this.#at;
  }

  #watch(): void {
    this.#cancel();
    const rest = Math.max(0, this.#at - this.#clock.now());
    this.#cancel = this.#clock.after(Math.min(rest, longestTimerMs), () => {
      if (this.isPassed) this.#onPassed();
      else this.#watch();
    });
  }

  stop(): void {
    this.#cancel();
  }
}
