/**
 * Watches one process from outside: how much memory it says it has, and whether its event loop still says anything. A
 * process that a flood has taken over cannot end itself.
 */

/** Why a process was ended by us. */
export type WatchEnd = 'memory' | 'stalled';

export interface WatchLimits {
  /** Resident memory, native code's included, which no limit of V8's covers. */
  readonly memoryBytes: number;
  /** Seconds without a sign of life. */
  readonly silentS: number;
  /** Seconds that a process which is started again may take until it serves. */
  readonly startS: number;
}

type Limits = Pick<WatchLimits, 'memoryBytes' | 'silentS'>;

/** How often a process gives a sign of life, and how often we count those that did not come. */
export const signEveryMs = 1_000;

export class Watchdog {
  readonly #limits: Limits;
  readonly #onEnd: (reason: WatchEnd) => void;
  readonly #timer: NodeJS.Timeout;
  #silent = 0;

  /** Watches until {@link stop}. @param onEnd called once. */
  constructor(limits: Limits, onEnd: (reason: WatchEnd) => void) {
    this.#limits = limits;
    this.#onEnd = onEnd;
    // Counted by our own ticks: while we stand still ourselves, or the machine sleeps, nobody is late.
    this.#timer = setInterval(() => this.#tick(), signEveryMs);
    this.#timer.unref();
  }

  /** A sign of life. @param memoryBytes the process's resident memory. */
  sign(memoryBytes: number): void {
    this.#silent = 0;
    if (memoryBytes > this.#limits.memoryBytes) this.#end('memory');
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    this.#silent += 1;
    if (this.#silent > this.#limits.silentS) this.#end('stalled');
  }

  #end(reason: WatchEnd): void {
    this.stop();
    this.#onEnd(reason);
  }
}
