/**
 * The sending half of a connection: what was written, what is in flight, what must go again (RFC 9293 section 3.8,
 * RFC 5681, RFC 6298, NewReno's RFC 6582). Without selective acknowledgment: three duplicates repeat the first
 * unacknowledged segment, a timeout goes back to it and lets acknowledgments pull the rest.
 *
 *          una              nxt        max        base + buffer.length
 *           |--- in flight --|          |               |
 *           buffer[0] is sequence `base` (una, except around SYN and FIN)
 */
import { ByteRing } from './byte-ring.ts';
import type { CongestionControl } from './congestion.ts';
import { DUPLICATE_THRESHOLD } from './limits.ts';
import { RetransmissionTimeout } from './rto.ts';
import { add, after, before, distance } from './sequence.ts';
import { type Segment, SYN } from './tcp-header.ts';

/** What the sending half needs of its connection. */
export interface SendLink {
  now(): number;
  /** Sends `length` bytes that lie `offset` into the buffer, with FIN if asked, as sequence `seq`. */
  transmit(seq: number, offset: number, length: number, fin: boolean): void;
  /** The send queue changed: look at the timer again. `restart` after progress (RFC 6298 section 5.3). */
  schedule(restart: boolean): void;
}

export class SendSide {
  readonly buffer = new ByteRing();
  readonly rto = new RetransmissionTimeout();
  readonly congestion: CongestionControl;
  readonly #link: SendLink;
  readonly iss: number;
  /** SND.UNA */
  una: number;
  /** SND.NXT; falls back to una after a timeout. */
  nxt: number;
  /** The highest SND.NXT has been. */
  max: number;
  /** SND.WND in bytes, and the largest it has been. */
  window = 0;
  maxWindow = 0;
  /** The peer's window shift. */
  shift = 0;
  /** Payload of a full segment. */
  segmentSize = 1;
  /** When a fresh acknowledgment last arrived or sending began; what the user timeout counts from. */
  progressAt = 0;
  /** What is in flight was sent when nothing was, and none of it is acknowledged: nobody may be there any more. */
  unanswered = false;
  #wl1 = 0;
  #wl2 = 0;
  #base: number;
  #finQueued = false;
  #duplicates = 0;
  #recovering = false;
  #partials = 0;
  /** Recovery ends when this is acknowledged, and none begins below it. */
  #recover: number;
  #sentAt = 0;
  /** The one segment that is timed while there are no timestamps (Karn); -1 while none is. */
  #timedAt: number;
  #timedSeq = 0;
  /** The last timeout: when, and at which segment. */
  #timedOutAt = Number.NEGATIVE_INFINITY;
  #timedOutSeq = -1;

  constructor(iss: number, congestion: CongestionControl, link: SendLink) {
    this.iss = iss;
    this.congestion = congestion;
    this.#link = link;
    this.una = iss;
    // The SYN counts as sent from the start; the connection repeats it until it is acknowledged.
    this.nxt = add(iss, 1);
    this.max = this.nxt;
    this.#base = this.nxt;
    this.#recover = iss;
    this.#timedAt = link.now();
    this.progressAt = this.#timedAt;
  }

  get inFlight(): number {
    return distance(this.nxt, this.una);
  }

  /** Whether anything sent is unacknowledged. */
  get outstanding(): boolean {
    return this.una !== this.max;
  }

  /** Whether bytes or a FIN wait that were never sent. */
  get unsent(): boolean {
    return distance(this.max, this.#base) < this.buffer.length + (this.#finQueued ? 1 : 0);
  }

  get finQueued(): boolean {
    return this.#finQueued;
  }

  get finAcknowledged(): boolean {
    return this.#finQueued && this.una === add(this.#base, 1) && this.buffer.length === 0;
  }

  /**
   * The SYN is acknowledged: data may flow. `segment` carried the peer's first window.
   * @param sampleMs the round trip its timestamp shows, or -1.
   */
  start(segment: Segment, lostSyn: boolean, sampleMs: number): void {
    this.una = this.nxt;
    this.progressAt = this.#link.now();
    if (sampleMs >= 0) this.rto.sample(sampleMs, 1);
    else if (!lostSyn) this.rto.sample(this.progressAt - this.#timedAt, 1);
    this.#timedAt = -1;
    this.congestion.start(this.segmentSize, lostSyn);
    this.#takeWindow(segment, segment.has(SYN) ? 0 : this.shift);
    this.#link.schedule(true);
  }

  /** No byte may be written after this. */
  finish(): void {
    this.#finQueued = true;
  }

  /** Sends what windows allow. `force` sends one segment even if it is small (RFC 9293 section 3.8.6.2.1). */
  output(force = false): void {
    if (this.inFlight === 0 && this.#link.now() - this.#sentAt > this.rto.ms) this.congestion.onIdle();
    let forced = force;
    while (this.#sendNext(forced)) forced = false;
    this.#link.schedule(false);
  }

  #sendNext(forced: boolean): boolean {
    const offset = distance(this.nxt, this.#base);
    const waiting = this.buffer.length - offset;
    // Below zero once the FIN is out.
    if (waiting < 0) return false;
    const inFlight = this.inFlight;
    const room = Math.min(this.window, this.#allowance()) - inFlight;
    const length = Math.min(waiting, this.segmentSize, Math.max(0, room));
    const fin = this.#finQueued && length === waiting && room > length;
    if (length === 0 && !fin) return false;
    // A runt because of the windows waits for room, unless it is half of what the peer ever offered. Nagle is off:
    // a runt because there is no more goes at once.
    const runt = length < this.segmentSize && length < waiting;
    if (runt && !forced && length < this.maxWindow / 2) return false;
    this.#send(offset, length, fin);
    return true;
  }

  /** The congestion window, and one segment more for each of the first two duplicates (RFC 3042). */
  #allowance(): number {
    const early = this.#recovering ? 0 : Math.min(this.#duplicates, DUPLICATE_THRESHOLD - 1);
    return this.congestion.window + early * this.segmentSize;
  }

  #send(offset: number, length: number, fin: boolean): void {
    const seq = this.nxt;
    if (!this.outstanding) {
      this.progressAt = this.#link.now();
      this.unanswered = true;
    }
    this.nxt = add(seq, length + (fin ? 1 : 0));
    if (after(this.nxt, this.max)) {
      this.max = this.nxt;
      if (this.#timedAt < 0) {
        this.#timedAt = this.#link.now();
        this.#timedSeq = this.nxt;
      }
    }
    this.#sentAt = this.#link.now();
    this.#link.transmit(seq, offset, length, fin);
  }

  /** Whether RFC 5961 section 5.2 lets this acknowledgment be looked at. */
  isAcceptable(ack: number): boolean {
    return !after(ack, this.max) && distance(ack, this.una) >= -this.maxWindow;
  }

  /**
   * Takes an acceptable acknowledgment and its window.
   * @param sampleMs the round trip its timestamp shows, or -1.
   */
  acknowledge(segment: Segment, sampleMs: number): void {
    if (after(segment.ack, this.una)) this.#advance(segment.ack, sampleMs);
    else if (this.#isDuplicate(segment)) this.#onDuplicate();
    this.#updateWindow(segment);
  }

  #advance(ack: number, sampleMs: number): void {
    const inFlight = this.inFlight;
    const acknowledged = distance(ack, this.una);
    this.una = ack;
    this.unanswered = false;
    if (before(this.nxt, ack)) this.nxt = ack;
    this.#release(ack);
    this.#measure(ack, sampleMs, inFlight);
    this.progressAt = this.#link.now();
    this.#duplicates = 0;
    let restart = true;
    if (!this.#recovering) this.congestion.onAcknowledged(acknowledged, inFlight);
    else if (before(ack, this.#recover)) {
      this.congestion.onPartial(acknowledged);
      this.#resendFirst();
      // "Impatient" NewReno: many losses in one window end sooner in a timeout than one a round trip.
      restart = this.#partials++ === 0;
    } else {
      this.#recovering = false;
      this.congestion.onRecovered(this.inFlight);
    }
    this.#link.schedule(restart);
  }

  /** Lets go of the bytes before `ack`; a FIN has none. */
  #release(ack: number): void {
    const count = Math.min(distance(ack, this.#base), this.buffer.length);
    if (count <= 0) return;
    this.buffer.drop(count);
    this.#base = add(this.#base, count);
  }

  /**
   * Takes a round-trip sample if there is one. After a timeout none is believed that began before the repetition
   * (Karn): a lost acknowledgment would count as a long way. Until there is one the doubled timeout stays.
   */
  #measure(ack: number, sampleMs: number, inFlight: number): void {
    if (sampleMs >= 0 && sampleMs <= this.#link.now() - this.#timedOutAt) {
      this.rto.sample(sampleMs, Math.max(1, Math.ceil(inFlight / (2 * this.segmentSize))));
    } else if (this.#timedAt >= 0 && !before(ack, this.#timedSeq)) {
      this.rto.sample(this.#link.now() - this.#timedAt, 1);
    }
    if (!before(ack, this.#timedSeq)) this.#timedAt = -1;
  }

  /** RFC 5681 section 2. */
  #isDuplicate(segment: Segment): boolean {
    return (
      segment.ack === this.una &&
      this.outstanding &&
      segment.length === 0 &&
      segment.window << this.shift === this.window
    );
  }

  #onDuplicate(): void {
    this.#duplicates++;
    if (this.#recovering) this.congestion.onDuplicate();
    else if (this.#duplicates === DUPLICATE_THRESHOLD && after(this.una, this.#recover)) this.#recoverFast();
  }

  #recoverFast(): void {
    this.#recovering = true;
    this.#partials = 0;
    this.#recover = this.max;
    this.congestion.onLoss(this.inFlight);
    this.#resendFirst();
    this.#link.schedule(true);
  }

  /** Sends the first unacknowledged segment again, windows or not: its bytes are counted in flight already. */
  #resendFirst(): void {
    this.#timedAt = -1;
    const offset = distance(this.una, this.#base);
    const length = Math.min(this.segmentSize, this.buffer.length - offset, distance(this.max, this.una));
    const fin = this.#finQueued && offset + length === this.buffer.length && distance(this.max, this.una) > length;
    const end = add(this.una, length + (fin ? 1 : 0));
    if (after(end, this.nxt)) this.nxt = end;
    this.#sentAt = this.#link.now();
    this.#link.transmit(this.una, offset, length, fin);
  }

  /** The retransmission timer ran out. */
  onTimeout(): void {
    this.congestion.onTimeout(this.inFlight, this.una !== this.#timedOutSeq);
    this.#timedOutSeq = this.una;
    this.#timedOutAt = this.#link.now();
    this.rto.backOff();
    this.#goBack();
  }

  /** The path takes only smaller segments: cut everything anew. */
  resize(segmentSize: number): void {
    this.segmentSize = segmentSize;
    this.congestion.resize(segmentSize);
    if (this.outstanding) this.#goBack();
  }

  #goBack(): void {
    this.#recovering = false;
    this.#duplicates = 0;
    this.#recover = this.max;
    this.nxt = this.una;
    this.#resendFirst();
    this.#link.schedule(true);
  }

  /** RFC 9293 section 3.10.7.4: only segments newer than the last one used may move the window. */
  #updateWindow(segment: Segment): void {
    const newer = before(this.#wl1, segment.seq) || (this.#wl1 === segment.seq && !before(segment.ack, this.#wl2));
    if (newer && !before(segment.ack, this.una)) this.#takeWindow(segment, this.shift);
  }

  #takeWindow(segment: Segment, shift: number): void {
    this.window = segment.window << shift;
    this.maxWindow = Math.max(this.maxWindow, this.window);
    this.#wl1 = segment.seq;
    this.#wl2 = segment.ack;
  }
}
