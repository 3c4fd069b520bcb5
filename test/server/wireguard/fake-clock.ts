/** A clock that moves only when told to, so that two minutes of timers take no time and always go the same way. */
import type { Clock } from '../../../protocol/clock.ts';

interface Task {
  readonly due: number;
  readonly order: number;
  readonly run: () => void;
}

export class FakeClock implements Clock {
  /** Added to {@link now} only: what a person does who sets the clock. */
  skewMs = 0;
  #time = 1_000_000;
  #order = 0;
  #tasks: Task[] = [];

  now(): number {
    return 1_760_000_000_000 + this.#time + this.skewMs;
  }

  monotonic(): number {
    return this.#time;
  }

  after(ms: number, run: () => void): () => void {
    const task = { due: this.#time + ms, order: this.#order++, run };
    this.#tasks.push(task);
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== task);
    };
  }

  /** Runs everything that is due in the next `ms`, in its order, including what that sets off. */
  advance(ms: number): void {
    const end = this.#time + ms;
    for (;;) {
      const due = this.#tasks.filter((task) => task.due <= end);
      if (due.length === 0) break;
      const first = due.reduce((a, b) => (b.due < a.due || (b.due === a.due && b.order < a.order) ? b : a));
      this.#tasks = this.#tasks.filter((task) => task !== first);
      this.#time = Math.max(this.#time, first.due);
      first.run();
    }
    this.#time = end;
  }
}
