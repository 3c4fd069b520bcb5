/** When a session that was told to drain has nothing left to carry. */
import type { Clock } from './clock.ts';
import { drainedMs } from './session-limits.ts';

export class Drain {
  readonly #clock: Clock;
  readonly #onDrained: () => void;
  #isBegun = false;
  #streams = 0;
  #cancel: () => void = () => {};

  /** @param onDrained called once no stream has been open for {@link drainedMs} since {@link begin}. */
  constructor(clock: Clock, onDrained: () => void) {
    this.#clock = clock;
    this.#onDrained = onDrained;
  }

  begin(): void {
    this.#isBegun = true;
    this.streamsOpen(this.#streams);
  }

  /** Tells how many streams are open now. */
  streamsOpen(count: number): void {
    this.#streams = count;
    this.#cancel();
    if (this.#isBegun && count === 0) this.#cancel = this.#clock.after(drainedMs, this.#onDrained);
  }

  stop(): void {
    this.#isBegun = false;
    this.#cancel();
  }
}
