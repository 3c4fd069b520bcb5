/**
 * Credit of one stream, both ends of it (docs/protocol.md, "Records": WINDOW): the sender spends what the receiver
 * granted, the receiver grants again what its reader took. Counts content bytes of DATA and nothing else.
 * The transport's own backpressure is separate and comes on top.
 */
import * as limits from './limits.ts';
import { SessionError } from './session-error.ts';
import { minRoundTripMs, windowGrowthBytes } from './session-limits.ts';

/** What the peer lets us send. One waiter at a time: a stream writes in order. */
export class SendCredit {
  #available: number = limits.initialCreditBytes;
  #wanted = 0;
  #wake: (() => void) | undefined;

  /**
   * Takes up to `most` bytes of credit, at least `least`, and waits until so much is there.
   * After {@link stop} it answers 0.
   */
  async take(least: number, most: number): Promise<number> {
    if (this.#available < least) await this.#wait(least);
    const taken = Math.min(this.#available, most);
    this.#available -= taken;
    return taken;
  }

  /** Takes just so much, which is there. */
  spend(bytes: number): void {
    if (bytes > this.#available) throw new TypeError('not so much credit');
    this.#available -= bytes;
  }

  #wait(least: number): Promise<void> {
    if (this.#wake) throw new TypeError('one writer at a time');
    this.#wanted = least;
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** @param bytes content of a WINDOW. @throws SessionError for a grant of nothing or beyond the protocol's bound */
  grant(bytes: number): void {
    if (bytes === 0 || this.#available + bytes > limits.maxCreditBytes) throw new SessionError('decode', 'credit');
    this.#available += bytes;
    if (this.#available >= this.#wanted) this.#release();
  }

  /** Nothing will be sent any more: lets a waiting writer find out. */
  stop(): void {
    this.#available = 0;
    this.#release();
  }

  #release(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

/** Memory that the receive windows of one session may take together beyond their first size. */
export class WindowBudget {
  #left = windowGrowthBytes;

  take(bytes: number): number {
    const taken = Math.min(bytes, this.#left);
    this.#left -= taken;
    return taken;
  }

  give(bytes: number): void {
    this.#left += bytes;
  }
}

/** What we let the peer send: bounds the plaintext that waits for a slow reader. */
export class ReceiveWindow {
  readonly #budget: WindowBudget;
  #size: number = limits.initialCreditBytes;
  /** What the peer may still send. */
  #left: number = limits.initialCreditBytes;
  /** Taken by the reader, not yet granted again. */
  #owed = 0;
  #grantedAt: number;

  /** @param now milliseconds of a clock that never jumps */
  constructor(budget: WindowBudget, now: number) {
    this.#budget = budget;
    this.#grantedAt = now;
  }

  get size(): number {
    return this.#size;
  }

  /** @throws SessionError 'too_many' when the peer sends what it has no credit for */
  received(bytes: number): void {
    if (bytes > this.#left) throw new SessionError('too_many', 'credit overrun');
    this.#left -= bytes;
  }

  /**
   * The reader took `bytes`.
   * @returns the credit to grant now, or 0: grants wait for half a window, so that they cost little.
   */
  consumed(bytes: number, now: number, roundTripMs: number): number {
    this.#owed += bytes;
    if (this.#owed < this.#size / 2) return 0;
    const grant = this.#owed + this.#grow(now, roundTripMs);
    this.#left += grant;
    this.#owed = 0;
    this.#grantedAt = now;
    return grant;
  }

  /**
   * Twice the measured rate times the round trip, so that the window never is what limits the rate; at most twice the
   * last size at a time. A window that was the limit doubles each round trip until it is not.
   */
  #grow(now: number, roundTripMs: number): number {
    const elapsedMs = Math.max(now - this.#grantedAt, 0.001);
    const target = 2 * (this.#owed / elapsedMs) * Math.max(roundTripMs, minRoundTripMs);
    const wanted = Math.min(Math.floor(target), 2 * this.#size, limits.maxCreditBytes) - this.#size;
    const growth = wanted > 0 ? this.#budget.take(wanted) : 0;
    this.#size += growth;
    return growth;
  }

  /** The stream is over: its share of the memory is free for others. */
  release(): void {
    this.#budget.give(this.#size - limits.initialCreditBytes);
    this.#size = limits.initialCreditBytes;
  }
}
