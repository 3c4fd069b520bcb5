/**
 * A timer that is moved far more often than it fires. Moving it later or stopping it costs a store: the running
 * clock timer is left to fire, sees that its time has not come and goes back to sleep for the rest.
 */
import type { Clock } from '../../protocol/clock.ts';

export class Deadline {
  readonly #clock: Clock;
  readonly #run: () => void;
  /** When to run; Infinity while stopped. */
  #at = Number.POSITIVE_INFINITY;
  /** When the clock timer fires; Infinity while there is none. */
  #fires = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock, run: () => void) {
    this.#clock = clock;
    this.#run = run;
  }

  get armed(): boolean {
    return this.#at !== Number.POSITIVE_INFINITY;
  }

  /** Runs once `ms` from now, instead of whenever it was to run before. */
  arm(ms: number): void {
    this.#at = this.#clock.monotonic() + ms;
    if (this.#at < this.#fires) this.#schedule(ms);
  }

  stop(): void {
    this.#at = Number.POSITIVE_INFINITY;
  }

  /** Stops and takes the clock timer back. */
  dispose(): void {
    this.stop();
    this.#cancel?.();
    this.#cancel = null;
    this.#fires = Number.POSITIVE_INFINITY;
  }

  #schedule(ms: number): void {
    this.#cancel?.();
    this.#fires = this.#at;
    this.#cancel = this.#clock.after(Math.max(1, Math.ceil(ms)), this.#fire);
  }

  readonly #fire = (): void => {
    this.#cancel = null;
    this.#fires = Number.POSITIVE_INFINITY;
    if (!this.armed) return;
    const rest = this.#at - this.#clock.monotonic();
    if (rest > 0) {
      this.#schedule(rest);
      return;
    }
    this.#at = Number.POSITIVE_INFINITY;
    this.#run();
  };
}
