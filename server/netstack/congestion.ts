/**
 * Congestion control: what may be in flight. Which segment is lost and which goes again is the business of rack.ts and
 * send-side.ts; cubic.ts is the algorithm.
 */

/** Amounts are bytes, times milliseconds. */
export interface CongestionControl {
  /** Whole bytes. */
  readonly window: number;
  /** The window still doubles with each round trip. */
  readonly slowStart: boolean;
  /** @param lostSyn a SYN or SYN-ACK had to be repeated, so the path is treated with care (RFC 5681 section 3.1). */
  start(segmentSize: number, lostSyn: boolean): void;
  /** The path takes smaller segments from now on. */
  resize(segmentSize: number): void;
  /** New data acknowledged outside of recovery. @param inFlight what was not acknowledged before it */
  onAcknowledged(bytes: number, inFlight: number, now: number, roundTripMs: number): void;
  /** A segment is lost: recovery begins. */
  onLoss(inFlight: number): void;
  /** The retransmission timer ran out; `first` for the first time at this segment. */
  onTimeout(inFlight: number, first: boolean): void;
  /** Nothing was sent for longer than the retransmission timeout. */
  onIdle(): void;
}
