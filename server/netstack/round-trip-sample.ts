/**
 * The round trip that one acknowledgment tells of: by segments that went once (Karn's rule, RFC 6298 section 3), or by
 * timestamps (RFC 7323 section 4). What is acknowledged with a repetition may have waited for it behind the gap since long
 * ago. After a timeout no timestamp is believed that is from before the repetition: a lost acknowledgment would count as a
 * long way.
 */
import type { RetransmissionTimeout } from './rto.ts';
import type { Sent } from './scoreboard.ts';

export class RoundTripSample {
  readonly #rto: RetransmissionTimeout;
  /** Of the latest segment that the acknowledgment at hand answers, -1 without one; and whether any had gone twice. */
  #ownMs = -1;
  #answersResent = false;
  /** By the timestamp of the acknowledgment at hand, -1 without one. */
  #stampMs = -1;
  /** The same in the whole milliseconds of timestamps, counted back: when the echoed segment was sent. */
  #echoedAt = -1;
  #timedOutAt = Number.NEGATIVE_INFINITY;

  constructor(rto: RetransmissionTimeout) {
    this.#rto = rto;
  }

  /** When the segment was sent that the acknowledgment at hand echoes; -1 where it does not say. */
  get echoedAt(): number {
    return this.#echoedAt;
  }

  /** An acknowledgment is looked at. @param stampMs the round trip its timestamp shows, or -1 */
  begin(now: number, stampMs: number): void {
    this.#ownMs = -1;
    this.#answersResent = false;
    this.#stampMs = stampMs;
    this.#echoedAt = stampMs < 0 ? -1 : Math.floor(now) - stampMs;
  }

  /** It answers a segment. */
  delivered(sent: Sent, now: number): void {
    if (sent.resent) this.#answersResent = true;
    else this.#ownMs = now - sent.sentAt;
  }

  timedOut(now: number): void {
    this.#timedOutAt = now;
  }

  /** Tells the timer what was learned. @param perWindow samples that a window gives (RFC 7323 appendix G) */
  tell(now: number, perWindow: number): void {
    const sinceTimeout = now - this.#timedOutAt;
    const believed = this.#stampMs >= 0 && this.#stampMs <= sinceTimeout ? this.#stampMs : -1;
    const sample = this.#ownMs >= 0 && !this.#answersResent ? this.#ownMs : believed;
    if (sample >= 0) this.#rto.sample(sample, perWindow);
    else this.#rto.answered(sinceTimeout);
  }
}
