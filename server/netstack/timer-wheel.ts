/**
 * A hashed hierarchical timing wheel (Varghese and Lauck, 1987): setting, moving and cancelling a timer costs the same
 * with five as with five thousand connections, and one timer of the clock drives them all. A timer far away lies in a
 * coarse slot and moves into finer ones as its time comes nearer, so that it fires in its own millisecond.
 *
 * A timer that throws costs the others nothing: what it threw comes out of the clock's timer when they have run.
 */
import type { Clock } from '../../protocol/clock.ts';

const bits = 8;
/** Slots of a level; a level's slot spans a whole turn of the level below: 1 ms, 256 ms, 65.5 s, 4.7 h. */
const slots = 1 << bits;
const levels = 4;
const furthestMs = 2 ** (bits * levels) - 1;

interface Timer {
  /** Tick: whole milliseconds since the wheel was made. */
  readonly due: number;
  run: (() => void) | null;
}

/** The clock, but for {@link after}. */
export class TimerWheel implements Clock {
  readonly #clock: Clock;
  readonly #start: number;
  readonly #levels: Set<Timer>[][] = Array.from({ length: levels }, () =>
    Array.from({ length: slots }, () => new Set<Timer>()),
  );
  /** Timers in each level. */
  readonly #counts = new Array<number>(levels).fill(0);
  /** Every tick up to this one has been looked at. */
  #tick = 0;
  /** When the clock's timer fires; Infinity while there is none. */
  #wakesAt = Number.POSITIVE_INFINITY;
  #cancelWake = () => {};
  #turning = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#start = clock.monotonic();
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  /** @returns takes the timer back. */
  after(ms: number, run: () => void): () => void {
    if (this.#isEmpty && !this.#turning) this.#tick = Math.floor(this.#elapsed);
    const due = Math.max(this.#tick + 1, Math.ceil(this.#elapsed + Math.min(ms, furthestMs)));
    const timer: Timer = { due, run };
    const taken = this.#put(timer);
    if (!this.#turning && due < this.#wakesAt) this.#wakeAt(due);
    return () => {
      timer.run = null;
      this.#take(timer, taken);
    };
  }

  get #elapsed(): number {
    return this.#clock.monotonic() - this.#start;
  }

  get #isEmpty(): boolean {
    return this.#counts.every((count) => count === 0);
  }

  /** A timer stands on the lowest level whose slots reach it. @returns the level it was put on at first */
  #put(timer: Timer): number {
    const distance = timer.due - this.#tick;
    let level = 0;
    while (level < levels - 1 && distance >= 2 ** (bits * (level + 1))) level++;
    this.#slotOf(timer, level).add(timer);
    this.#counts[level]!++;
    return level;
  }

  /** Looks on the level it was put on and below: it may have come down since. */
  #take(timer: Timer, from: number): void {
    for (let level = from; level >= 0; level--) {
      if (!this.#slotOf(timer, level).delete(timer)) continue;
      this.#counts[level]!--;
      break;
    }
    if (!this.#isEmpty || this.#turning) return;
    this.#cancelWake();
    this.#wakesAt = Number.POSITIVE_INFINITY;
  }

  #slotOf({ due }: Timer, level: number): Set<Timer> {
    return this.#levels[level]![Math.floor(due / 2 ** (bits * level)) % slots]!;
  }

  /** Sets the clock's timer; Infinity for none. */
  #wakeAt(tick: number): void {
    this.#cancelWake();
    this.#wakesAt = tick;
    if (tick === Number.POSITIVE_INFINITY) return;
    this.#cancelWake = this.#clock.after(Math.max(1, Math.ceil(tick - this.#elapsed)), () => this.#turn());
  }

  /** The first tick after the present one with a slot that is not empty, its own or one that comes down then. */
  #nextTick(): number {
    let next = Number.POSITIVE_INFINITY;
    for (let level = 0; level < levels; level++) {
      if (this.#counts[level] === 0) continue;
      const span = 2 ** (bits * level);
      const at = Math.floor(this.#tick / span);
      for (let step = 1; step <= slots; step++) {
        if ((at + step) * span >= next) break;
        if (this.#levels[level]![(at + step) % slots]!.size === 0) continue;
        next = (at + step) * span;
        break;
      }
    }
    return next;
  }

  #turn(): void {
    this.#wakesAt = Number.POSITIVE_INFINITY;
    this.#turning = true;
    const thrown: unknown[] = [];
    const until = Math.floor(this.#elapsed);
    for (let next = this.#nextTick(); next <= until; next = this.#nextTick()) {
      this.#tick = next;
      this.#comeDown(next);
      this.#fire(next, thrown);
    }
    this.#tick = Math.max(this.#tick, until);
    this.#turning = false;
    this.#wakeAt(this.#nextTick());
    if (thrown.length === 1) throw thrown[0];
    if (thrown.length > 1) throw new AggregateError(thrown, 'Several timers threw.');
  }

  /** Slots of higher levels that begin at this tick are dealt out below. */
  #comeDown(tick: number): void {
    for (let level = levels - 1; level > 0; level--) {
      const span = 2 ** (bits * level);
      if (tick % span !== 0) continue;
      const slot = this.#levels[level]![(tick / span) % slots]!;
      for (const timer of [...slot]) {
        slot.delete(timer);
        this.#counts[level]!--;
        this.#put(timer);
      }
    }
  }

  #fire(tick: number, thrown: unknown[]): void {
    const slot = this.#levels[0]![tick % slots]!;
    for (const timer of [...slot]) {
      if (!slot.delete(timer)) continue;
      this.#counts[0]!--;
      try {
        timer.run?.();
      } catch (error) {
        thrown.push(error);
      }
    }
  }
}
