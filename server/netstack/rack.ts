/**
 * RACK-TLP (RFC 8985): a segment is lost when one that was sent later has arrived and a little time for reordering has
 * passed, also when it is itself a repetition; and the last segments of a flight, behind which nothing comes, are probed
 * for before the retransmission timer would have to be. Needs selective acknowledgment.
 */
import { DUPLICATE_THRESHOLD, INITIAL_RTO_MS, MIN_PROBE_MS, PEER_ACK_DELAY_MS } from './limits.ts';
import type { Scoreboard, Sent } from './scoreboard.ts';
import { after } from './sequence.ts';

/** Recoveries for which a widened reordering window lasts (section 6.2, step 4). */
const PERSIST = 16;

export class Rack {
  readonly #board: Scoreboard;
  /** The latest transmission that is known to have arrived, and the round trip it took. */
  #sentAt = Number.NEGATIVE_INFINITY;
  #end = 0;
  #roundTripMs = 0;
  #minRoundTripMs = Number.POSITIVE_INFINITY;
  /** The highest sequence number known to have arrived. */
  #highest: number;
  #reorderingSeen = false;
  #windowMultiple = 1;
  #windowPersists = 0;

  constructor(board: Scoreboard, iss: number) {
    this.#board = board;
    this.#highest = iss;
  }

  /**
   * Steps 1 to 3: the peer has a segment.
   * @param echoedMs when the segment it answers was sent, by its timestamp; -1 without.
   */
  delivered(sent: Sent, now: number, echoedMs: number): void {
    const roundTrip = now - sent.sentAt;
    if (!sent.resent) this.#minRoundTripMs = Math.min(this.#minRoundTripMs, roundTrip);
    if (after(sent.end, this.#highest)) this.#highest = sent.end;
    else if (sent.end !== this.#highest && !sent.resent) this.#reorderingSeen = true;
    // It may be the first transmission that arrived, of which the time is not known any more.
    if (sent.resent && (roundTrip < this.#minRoundTripMs || (echoedMs >= 0 && echoedMs < Math.floor(sent.sentAt))))
      return;
    this.#roundTripMs = roundTrip;
    if (!isAfter(sent.sentAt, sent.end, this.#sentAt, this.#end)) return;
    this.#sentAt = sent.sentAt;
    this.#end = sent.end;
  }

  /** The peer got something twice (RFC 2883): what was thought lost was late. */
  onDuplicate(): void {
    this.#windowMultiple = Math.min(this.#windowMultiple + 1, 8);
    this.#windowPersists = PERSIST;
  }

  onRecovered(): void {
    if (this.#windowPersists > 0 && --this.#windowPersists === 0) this.#windowMultiple = 1;
  }

  /**
   * Step 5: marks what must be lost.
   * @returns `lost` whether anything was marked; `waitMs` until the next could be, 0 for none.
   */
  detect(now: number, recovering: boolean, smoothedMs: number): { lost: boolean; waitMs: number } {
    const reorderMs = this.#reorderWindow(recovering, smoothedMs);
    const found = { lost: false, waitMs: 0 };
    this.#board.eachFlying((sent) => {
      // What lies behind one that went once left after it.
      if (!isAfter(this.#sentAt, this.#end, sent.sentAt, sent.end)) return sent.resent;
      const left = sent.sentAt + this.#roundTripMs + reorderMs - now;
      if (left > 0) {
        found.waitMs = Math.max(found.waitMs, left);
        return true;
      }
      this.#board.markLost(sent);
      found.lost = true;
      return true;
    });
    return found;
  }

  /** Step 4. */
  #reorderWindow(recovering: boolean, smoothedMs: number): number {
    if (!this.#reorderingSeen && (recovering || this.#board.sackedSegments >= DUPLICATE_THRESHOLD)) return 0;
    const quarter = (this.#windowMultiple * this.#minRoundTripMs) / 4;
    return Math.max(1, Math.min(quarter, smoothedMs));
  }
}

/** Sent later; of what left in the same moment, the higher one. */
function isAfter(at: number, end: number, otherAt: number, otherEnd: number): boolean {
  return at > otherAt || (at === otherAt && after(end, otherEnd));
}

/**
 * How long after the last transmission to probe (section 7.2).
 * @param smoothedMs -1 while no round trip was measured
 * @param alone only one segment is in flight, whose acknowledgment the peer may delay
 */
export function probeTimeout(smoothedMs: number, alone: boolean): number {
  if (smoothedMs < 0) return INITIAL_RTO_MS;
  return Math.max(MIN_PROBE_MS, 2 * smoothedMs) + (alone ? PEER_ACK_DELAY_MS : 0);
}
