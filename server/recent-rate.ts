/** How often something happened lately, in two numbers of memory. */
import type { Clock } from '../protocol/clock.ts';

/** Events a second, those of the last second counting most: each fades by a factor of e in a second. */
export class RecentRate {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #count = 0;
  #at: number;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
    this.#at = clock.monotonic();
  }

  note(): void {
    this.#count = this.perSecond + 1;
    this.#at = this.#clock.monotonic();
  }

  get perSecond(): number {
    return this.#count * Math.exp((this.#at - this.#clock.monotonic()) / 1_000);
  }
}
