/** Timestamps of one connection (RFC 7323 sections 3 to 5): ours, the peer's last, and the test for old duplicates. */
import { MAX_RTO_MS } from './limits.ts';
import { add, after, before, distance } from './sequence.ts';
import type { Segment } from './tcp-header.ts';

/** TS.Recent of a connection idle for longer says nothing any more (RFC 7323 section 5.5). */
const STALE_AFTER_MS = 24 * 24 * 3_600 * 1_000;

export class Timestamps {
  /** Both ends sent the option on their SYN; while we wait for the answer to ours, that we offer it. */
  enabled = true;
  readonly #offset: number;
  #recent = 0;
  #recentAt = 0;

  /** @param offset differs from flow to flow, so that our uptime cannot be read from it (RFC 7323 section 7.1). */
  constructor(offset: number) {
    this.#offset = offset;
  }

  /** TSval now. */
  value(nowMs: number): number {
    return add(this.#offset, Math.floor(nowMs));
  }

  /** TSecr */
  get echo(): number {
    return this.#recent;
  }

  /** The peer's SYN decides. */
  start(syn: Segment, nowMs: number): void {
    this.enabled = this.enabled && syn.options.hasTimestamps;
    this.#recent = this.enabled ? syn.options.timestamp : 0;
    this.#recentAt = nowMs;
  }

  /** PAWS (section 5.3): older than what we have seen? */
  isOld(segment: Segment, nowMs: number): boolean {
    return before(segment.options.timestamp, this.#recent) && nowMs - this.#recentAt < STALE_AFTER_MS;
  }

  /** Whether a SYN is newer than the connection in TIME-WAIT that it would replace (RFC 6191). */
  isNewer(syn: Segment): boolean {
    return this.enabled && syn.options.hasTimestamps && after(syn.options.timestamp, this.#recent);
  }

  /** Section 4.3: only the segment that we last acknowledged up to, or an older one, moves TS.Recent. */
  update(segment: Segment, lastAckSent: number, nowMs: number): void {
    if (after(segment.seq, lastAckSent) || before(segment.options.timestamp, this.#recent)) return;
    this.#recent = segment.options.timestamp;
    this.#recentAt = nowMs;
  }

  /** The round trip that TSecr shows, or -1. The peer could invent one, so it is bounded. */
  sample(segment: Segment, nowMs: number): number {
    if (!this.enabled || !segment.options.hasTimestamps || segment.options.timestampEcho === 0) return -1;
    const ms = distance(this.value(nowMs), segment.options.timestampEcho);
    return ms >= 0 && ms <= MAX_RTO_MS ? ms : -1;
  }
}
