/**
 * When to ask for cookies, and how often one address may then make us work (paper section 5.3).
 * Handshakes are computed as they arrive, so load is measured in handshake messages a second, not in a queue's length.
 */
import type { Clock } from '../../protocol/clock.ts';
import {
  HANDSHAKES_AT_EASE_PER_SECOND,
  MAX_SOURCES,
  SOURCE_HANDSHAKE_BURST,
  SOURCE_HANDSHAKES_PER_SECOND,
  UNDER_LOAD_MS,
} from './limits.ts';

/** Counts handshake messages whose mac1 holds; others cost next to nothing. */
export class LoadMeter {
  readonly #clock: Clock;
  #windowStart = Number.NEGATIVE_INFINITY;
  #count = 0;
  #busyUntil = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes note of one message; true while the device is under load. */
  note(): boolean {
    const now = this.#clock.monotonic();
    if (now - this.#windowStart >= 1000) {
      this.#windowStart = now;
      this.#count = 0;
    }
    if (++this.#count > HANDSHAKES_AT_EASE_PER_SECOND) this.#busyUntil = now + UNDER_LOAD_MS;
    return now < this.#busyUntil;
  }
}

interface Bucket {
  tokens: number;
  at: number;
}

/** A token bucket for each source address, in bounded memory. */
export class SourceLimiter {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();
  #sweptAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param source see sourceOf in wire.ts. False when this source has had its share, or too many are at it. */
  allow(source: string): boolean {
    const now = this.#clock.monotonic();
    this.#sweep(now);
    let bucket = this.#buckets.get(source);
    if (bucket === undefined) {
      if (this.#buckets.size >= MAX_SOURCES) return false;
      bucket = { tokens: SOURCE_HANDSHAKE_BURST, at: now };
      this.#buckets.set(source, bucket);
    }
    const earned = ((now - bucket.at) / 1000) * SOURCE_HANDSHAKES_PER_SECOND;
    bucket.tokens = Math.min(SOURCE_HANDSHAKE_BURST, bucket.tokens + earned);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  /** A bucket untouched for a second is full again and need not be remembered. */
  #sweep(now: number): void {
    if (now - this.#sweptAt < 1000) return;
    this.#sweptAt = now;
    for (const [source, bucket] of this.#buckets) {
      if (now - bucket.at >= 1000) this.#buckets.delete(source);
    }
  }
}
