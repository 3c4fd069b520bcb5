/** A Clock that moves when a test says so, and a way to let everything run that can run without it. */
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../protocol/clock.ts';

type Timer = { readonly at: number; readonly order: number; readonly run: () => void };

/** Both of its times move together; {@link FakeClock.jump} moves the wall alone. */
export class FakeClock implements Clock {
  /** What the wall shows when the other clock is at zero. */
  #wallAtZero: number;
  #monotonic = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();

  constructor(now = 1_790_000_000_000) {
    this.#wallAtZero = now;
  }

  /** Whole milliseconds, as Date has them. */
  now(): number {
    return Math.floor(this.#wallAtZero + this.#monotonic);
  }

  monotonic(): number {
    return this.#monotonic;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#monotonic + ms, order: this.#order++, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Timers that have not run. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves on by `ms`, running each timer at its own time and letting its consequences happen before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    for (;;) {
      await settled();
      const next = this.#next();
      if (!next || next.at > end) break;
      this.#monotonic = Math.max(next.at, this.#monotonic);
      this.#timers.delete(next);
      next.run();
    }
    this.#monotonic = end;
  }

  /** Somebody sets the wall clock. */
  jump(ms: number): void {
    this.#wallAtZero += ms;
  }

  #next(): Timer | undefined {
    return Array.from(this.#timers).sort((a, b) => a.at - b.at || a.order - b.order)[0];
  }
}

/** Resolves when promises and in-memory transports have come to rest. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await setImmediate();
}
