/**
 * The retransmission timeout (RFC 6298). With timestamps nearly every acknowledgment gives a sample, so each counts
 * for less (RFC 7323 appendix G); otherwise the history would be shorter than a round trip.
 */
import { INITIAL_RTO_MS, MAX_RTO_MS, MIN_RTO_MS } from './limits.ts';

const ALPHA = 1 / 8;
const BETA = 1 / 4;
/** Timestamps tick in milliseconds, so the clock granularity G of the RFC is one. */
const GRANULARITY_MS = 1;

export class RetransmissionTimeout {
  #smoothed = -1;
  #variation = 0;
  #base = INITIAL_RTO_MS;
  #backoff = 0;
  /** The shortest round trip so far. */
  #leastMs = Number.POSITIVE_INFINITY;

  /** The timeout now, backoff included. */
  get ms(): number {
    return Math.min(MAX_RTO_MS, this.#base * 2 ** this.#backoff);
  }

  /** SRTT, fractions of a millisecond included; -1 while no round trip was measured. */
  get smoothedMs(): number {
    return this.#smoothed;
  }

  /** @param samplesPerRoundTrip how many such samples one round trip gives, at least 1. */
  sample(ms: number, samplesPerRoundTrip: number): void {
    if (this.#smoothed < 0) {
      this.#smoothed = ms;
      this.#variation = ms / 2;
    } else {
      const deviation = Math.abs(this.#smoothed - ms);
      this.#variation += (BETA / samplesPerRoundTrip) * (deviation - this.#variation);
      this.#smoothed += (ALPHA / samplesPerRoundTrip) * (ms - this.#smoothed);
    }
    const timeout = this.#smoothed + Math.max(GRANULARITY_MS, 4 * this.#variation);
    this.#base = Math.min(MAX_RTO_MS, Math.max(MIN_RTO_MS, timeout));
    this.#backoff = 0;
    this.#leastMs = Math.min(this.#leastMs, ms);
  }

  /**
   * Something was acknowledged `ms` after a timeout repeated it, and nothing says which transmission was meant. Karn's rule
   * keeps the doubled timeout then; where a third of all repetitions fails, it grows until the connection is given up
   * though it advances. So what comes a round trip like those before after the repetition is taken for its answer, as RACK
   * takes it (RFC 8985 section 6.2 step 2): it ends the doubling and is no sample. On a path that has become slower than
   * the timeout, the answer to the first transmission seldom falls just there, and the next sample is a whole one.
   */
  answered(ms: number): void {
    if (ms >= this.#leastMs && ms <= this.#base) this.#backoff = 0;
  }

  /** Doubles the timeout (section 5.5). */
  backOff(): void {
    if (this.ms < MAX_RTO_MS) this.#backoff++;
  }
}
