/**
 * CUBIC (RFC 9438) behind {@link CongestionControl}: after a loss the window grows along a cubic curve of the time since
 * then, flat around where the loss was and steep beyond, whatever the round trip. Where Reno would have the larger
 * window, it gets that. Below the threshold slow start (RFC 5681), counting all bytes (RFC 9438 section 4.10 leaves it).
 */
import type { CongestionControl } from './congestion.ts';
import { INITIAL_WINDOW_SEGMENTS } from './limits.ts';

/** Section 5. */
const C = 0.4;
/** Section 4.6. */
const BETA = 0.7;
/** Section 4.3: Reno's increase for this decrease. */
const ALPHA = (3 * (1 - BETA)) / (1 + BETA);

export class Cubic implements CongestionControl {
  #segment = 1;
  #window = 0;
  #threshold = Number.MAX_SAFE_INTEGER;
  /** W_max and W_est, in segments. */
  #most = 0;
  #reno = 0;
  /** When the present growth began, -1 before; the window then, in segments, and K in seconds. */
  #epochMs = -1;
  #epochWindow = 0;
  #k = 0;
  readonly #ceiling: number;

  /** @param ceiling the send buffer: a larger window could not be filled. */
  constructor(ceiling: number) {
    this.#ceiling = ceiling;
  }

  /** Whole bytes; growth is finer. */
  get window(): number {
    return Math.floor(this.#window);
  }

  get slowStart(): boolean {
    return this.#window < this.#threshold;
  }

  start(segmentSize: number, lostSyn: boolean): void {
    this.#segment = segmentSize;
    this.#window = lostSyn ? segmentSize : this.#initial();
  }

  resize(segmentSize: number): void {
    this.#segment = segmentSize;
  }

  onAcknowledged(bytes: number, inFlight: number, now: number, roundTripMs: number): void {
    // A window that was not used proves nothing about the path (RFC 7661).
    if (inFlight + 2 * this.#segment < this.#window) {
      this.#epochMs = -1;
      return;
    }
    if (this.slowStart) this.#grow(bytes);
    else this.#avoid(bytes, now, roundTripMs);
  }

  /** Sections 4.2 to 4.5. */
  #avoid(bytes: number, now: number, roundTripMs: number): void {
    const window = this.#window / this.#segment;
    if (this.#epochMs < 0) this.#begin(window, now);
    const acknowledged = bytes / this.#segment;
    this.#reno += (this.#reno >= this.#most ? 1 : ALPHA) * (acknowledged / window);
    const seconds = (now - this.#epochMs) / 1_000;
    if (this.#reno > this.#curve(seconds)) {
      this.#grow((this.#reno - window) * this.#segment);
      return;
    }
    const target = Math.min(Math.max(this.#curve(seconds + roundTripMs / 1_000), window), 1.5 * window);
    this.#grow(((target - window) / window) * acknowledged * this.#segment);
  }

  #begin(window: number, now: number): void {
    this.#epochMs = now;
    this.#epochWindow = window;
    this.#reno = window;
    this.#most = Math.max(this.#most, window);
    this.#k = Math.cbrt((this.#most - this.#epochWindow) / C);
  }

  #curve(seconds: number): number {
    return C * (seconds - this.#k) ** 3 + this.#most;
  }

  onLoss(inFlight: number): void {
    this.#reduce(inFlight);
    this.#window = this.#threshold;
  }

  onTimeout(inFlight: number, first: boolean): void {
    if (first) this.#reduce(inFlight);
    this.#window = this.#segment;
  }

  /** Sections 4.6 and 4.7: a flow that is losing ground makes room for new ones. */
  #reduce(inFlight: number): void {
    const window = this.#window / this.#segment;
    this.#most = window < this.#most ? (window * (1 + BETA)) / 2 : window;
    this.#epochMs = -1;
    this.#threshold = Math.max(Math.min(inFlight, this.#window) * BETA, 2 * this.#segment);
  }

  onIdle(): void {
    this.#window = Math.min(this.#window, this.#initial());
    this.#epochMs = -1;
  }

  #initial(): number {
    return INITIAL_WINDOW_SEGMENTS * this.#segment;
  }

  #grow(bytes: number): void {
    this.#window = Math.min(this.#ceiling, this.#window + Math.max(0, bytes));
  }
}
