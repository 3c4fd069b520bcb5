/** Token buckets by caller. Tokens and nonces are too long to guess; this bounds the work that guessing costs us. */
import type { Clock } from '../../../protocol/clock.ts';
import { ApiError } from '../api-error.ts';

export interface Rate {
  /** Calls at once. */
  readonly burst: number;
  readonly perSecond: number;
}

/** Callers remembered; the oldest are forgotten first, which only ever gives somebody a full bucket. */
const maxCallers = 10_000;

export class RateLimit {
  readonly #rate: Rate;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(rate: Rate, clock: Pick<Clock, 'monotonic'>) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** @returns false when this caller has to wait. */
  take(caller: string): boolean {
    const tokens = this.#tokens(caller);
    const enough = tokens >= 1;
    this.#buckets.delete(caller);
    this.#buckets.set(caller, { tokens: enough ? tokens - 1 : tokens, at: this.#clock.monotonic() });
    if (this.#buckets.size > maxCallers) this.#forgetOldest();
    return enough;
  }

  /**
   * Counts only what goes wrong: honest callers, many of them perhaps behind one address, are never slowed down.
   * @throws ApiError `rate_limited` when too much went wrong before, else whatever `work` throws
   */
  async countingRefusals<T>(caller: string, work: () => Promise<T>): Promise<T> {
    if (this.#tokens(caller) < 1) throw new ApiError('rate_limited');
    try {
      return await work();
    } catch (error) {
      this.take(caller);
      throw error;
    }
  }

  #tokens(caller: string): number {
    const bucket = this.#buckets.get(caller);
    if (bucket === undefined) return this.#rate.burst;
    const gained = ((this.#clock.monotonic() - bucket.at) / 1_000) * this.#rate.perSecond;
    return Math.min(this.#rate.burst, bucket.tokens + gained);
  }

  /** @throws ApiError `rate_limited` */
  require(caller: string): void {
    if (!this.take(caller)) throw new ApiError('rate_limited');
  }

  #forgetOldest(): void {
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}

/** The limits of the HTTP API. */
export interface CallerLimits {
  /** For callers who have proved nothing yet, by address. */
  readonly strangers: RateLimit;
  /** For those who have, by person: every launch and renewal leaves a credential. */
  readonly people: RateLimit;
}
