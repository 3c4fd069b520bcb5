/** Clocks for tests: one that only moves when told, and the machine's. */
import type { Clock } from '../../../../protocol/clock.ts';

export class ManualClock implements Clock {
  #now: number;
  #waiting: { at: number; run: () => void }[] = [];

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const entry = { at: this.#now + ms, run };
    this.#waiting.push(entry);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== entry);
    };
  }

  /** Moves on, running what falls due, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let due = this.#nextDue(end); due !== undefined; due = this.#nextDue(end)) {
      this.#now = due.at;
      due.run();
    }
    this.#now = end;
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#waiting.length;
  }

  #nextDue(end: number): { at: number; run: () => void } | undefined {
    const [first] = this.#waiting.toSorted((a, b) => a.at - b.at);
    if (first === undefined || first.at > end) return undefined;
    this.#waiting = this.#waiting.filter((other) => other !== first);
    return first;
  }
}

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
