/**
 * Congestion control: what may be in flight. Slow start and congestion avoidance (RFC 5681) with byte counting
 * (RFC 3465) and the window arithmetic of NewReno's fast recovery (RFC 6582). Which segment to send again is the
 * business of send-side.ts; another algorithm replaces this file behind {@link CongestionControl}.
 */
import { INITIAL_WINDOW_SEGMENTS } from './limits.ts';

/** Amounts are bytes. `inFlight` is sent and not acknowledged, as it was before the event. */
export interface CongestionControl {
  readonly window: number;
  /** @param lostSyn a SYN or SYN-ACK had to be repeated, so the path is treated with care (RFC 5681 section 3.1). */
  start(segmentSize: number, lostSyn: boolean): void;
  /** The path takes smaller segments from now on. */
  resize(segmentSize: number): void;
  /** New data acknowledged outside of recovery. */
  onAcknowledged(bytes: number, inFlight: number): void;
  /** Three duplicate acknowledgments: recovery begins. */
  onLoss(inFlight: number): void;
  /** One more duplicate within recovery: a segment has left the network. */
  onDuplicate(): void;
  /** An acknowledgment within recovery that does not reach its end. */
  onPartial(bytes: number): void;
  /** The acknowledgment that ends recovery. */
  onRecovered(inFlight: number): void;
  /** The retransmission timer ran out; `first` for the first time at this segment. */
  onTimeout(inFlight: number, first: boolean): void;
  /** Nothing was sent for longer than the retransmission timeout. */
  onIdle(): void;
}

export class NewReno implements CongestionControl {
  #segment = 1;
  #window = 0;
  #threshold = Number.MAX_SAFE_INTEGER;
  /** Bytes acknowledged towards the next increase in congestion avoidance. */
  #credit = 0;
  readonly #ceiling: number;

  /** @param ceiling the send buffer: a larger window could not be filled. */
  constructor(ceiling: number) {
    this.#ceiling = ceiling;
  }

  get window(): number {
    return this.#window;
  }

  start(segmentSize: number, lostSyn: boolean): void {
    this.#segment = segmentSize;
    this.#window = lostSyn ? segmentSize : this.#initial();
  }

  resize(segmentSize: number): void {
    this.#segment = segmentSize;
  }

  onAcknowledged(bytes: number, inFlight: number): void {
    // A window that was not used proves nothing about the path (RFC 7661).
    if (inFlight + 2 * this.#segment < this.#window) return;
    if (this.#window < this.#threshold) {
      this.#grow(Math.min(bytes, 2 * this.#segment));
      return;
    }
    this.#credit += bytes;
    if (this.#credit < this.#window) return;
    this.#credit -= this.#window;
    this.#grow(this.#segment);
  }

  onLoss(inFlight: number): void {
    this.#halve(inFlight);
    this.#window = this.#threshold + 3 * this.#segment;
  }

  onDuplicate(): void {
    this.#grow(this.#segment);
  }

  onPartial(bytes: number): void {
    this.#window = Math.max(this.#segment, this.#window - bytes);
    if (bytes >= this.#segment) this.#window += this.#segment;
  }

  onRecovered(inFlight: number): void {
    // RFC 6582 step 3, the option that cannot release a burst.
    this.#window = Math.min(this.#threshold, Math.max(inFlight, this.#segment) + this.#segment);
    this.#credit = 0;
  }

  onTimeout(inFlight: number, first: boolean): void {
    if (first) this.#halve(inFlight);
    this.#window = this.#segment;
    this.#credit = 0;
  }

  onIdle(): void {
    this.#window = Math.min(this.#window, this.#initial());
  }

  #initial(): number {
    return INITIAL_WINDOW_SEGMENTS * this.#segment;
  }

  #halve(inFlight: number): void {
    this.#threshold = Math.max(inFlight / 2, 2 * this.#segment);
  }

  #grow(bytes: number): void {
    this.#window = Math.min(this.#ceiling, this.#window + bytes);
  }
}
