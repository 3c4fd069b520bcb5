/**
 * A clock that moves only when told to, so that minutes of protocol time take no time and every run is the same.
 * Timers of the same moment run in the order they were set.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../../../protocol/clock.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  run: (() => void) | null;
}

export class FakeClock implements Clock {
  /** A heap: the next timer first. */
  #timers: Timer[] = [];
  #order = 0;
  #time = 1_000;

  now(): number {
    return 1_700_000_000_000 + this.#time;
  }

  monotonic(): number {
    return this.#time;
  }

  after(ms: number, run: () => void): () => void {
    const timer: Timer = { at: this.#time + ms, order: this.#order++, run };
    this.#timers.push(timer);
    this.#rise(this.#timers.length - 1);
    return () => {
      timer.run = null;
    };
  }

  /** Timers that would still do something. */
  get pending(): number {
    return this.#timers.filter(({ run }) => run !== null).length;
  }

  /** Lets streams and promises settle, without moving time. */
  async settle(): Promise<void> {
    for (let i = 0; i < 12; i++) await turn();
  }

  /** Moves time forward, running what falls due, with the event loop turning in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#time + ms;
    await this.settle();
    while (this.#timers.length > 0 && this.#timers[0]!.at <= end) {
      this.#runMoment();
      await this.settle();
    }
    this.#time = end;
  }

  /** Moves time until `done`; throws when nothing is left to wait for or `limitMs` has passed. */
  async until(done: () => boolean, limitMs = 600_000): Promise<void> {
    const end = this.#time + limitMs;
    await this.settle();
    while (!done()) {
      const due = this.#timers[0];
      if (due === undefined || due.at > end) throw new Error(`still waiting at ${this.#time} ms`);
      this.#runMoment();
      await turn();
      // Time must not run ahead of the streams: before it jumps, they get to do what they can.
      const next = this.#timers[0];
      if (next === undefined || next.at - this.#time >= 5) await this.settle();
    }
  }

  /** Awaits a promise while time moves. */
  async resolve<T>(promise: Promise<T>, limitMs?: number): Promise<T> {
    let settled = false;
    const mark = () => {
      settled = true;
    };
    promise.then(mark, mark);
    await this.until(() => settled, limitMs);
    return promise;
  }

  #runMoment(): void {
    const moment = this.#timers[0]!.at;
    this.#time = Math.max(this.#time, moment);
    while (this.#timers.length > 0 && this.#timers[0]!.at === moment) this.#pop().run?.();
  }

  #pop(): Timer {
    const first = this.#timers[0]!;
    const last = this.#timers.pop()!;
    if (this.#timers.length > 0) {
      this.#timers[0] = last;
      this.#sink();
    }
    return first;
  }

  #rise(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(): void {
    let at = 0;
    for (;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#timers.length && this.#isBefore(child, least)) least = child;
      }
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const x = this.#timers[a]!;
    const y = this.#timers[b]!;
    return x.at < y.at || (x.at === y.at && x.order < y.order);
  }

  #swap(a: number, b: number): void {
    const x = this.#timers[a]!;
    this.#timers[a] = this.#timers[b]!;
    this.#timers[b] = x;
  }
}
