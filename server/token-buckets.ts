/** Token buckets by name, in bounded memory: how often one address, or one credential, may make us work. */
import type { Clock } from '../protocol/clock.ts';

export interface BucketRate {
  /** Allowed at once. */
  readonly burst: number;
  readonly perSecond: number;
  /** Names remembered; while there are so many, unknown ones wait. */
  readonly names: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

export class TokenBuckets {
  readonly #rate: BucketRate;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #buckets = new Map<string, Bucket>();
  #sweptAt = 0;

  constructor(rate: BucketRate, clock: Pick<Clock, 'monotonic'>) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** False when this name has had its share, or too many are at it. */
  allow(name: string): boolean {
    const { burst, perSecond, names } = this.#rate;
    const now = this.#clock.monotonic();
    this.#sweep(now);
    let bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      if (this.#buckets.size >= names) return false;
      bucket = { tokens: burst, at: now };
      this.#buckets.set(name, bucket);
    }
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1_000) * perSecond);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  /** A bucket untouched for as long as it takes to fill is full and need not be remembered. */
  #sweep(now: number): void {
    const fullMs = Math.max(1_000, (this.#rate.burst / this.#rate.perSecond) * 1_000);
    if (now - this.#sweptAt < fullMs) return;
    this.#sweptAt = now;
    for (const [name, bucket] of this.#buckets) if (now - bucket.at >= fullMs) this.#buckets.delete(name);
  }
}
