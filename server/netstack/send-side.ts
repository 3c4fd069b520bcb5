/**
 * The sending half of a connection: what was written, and what goes next (RFC 9293 section 3.8). What is in flight stands
 * on the scoreboard; what is lost goes again first, then new data, as far as the windows allow. With selective
 * acknowledgment losses are found by rack.ts (RFC 6675 section 5 for the rest of recovery); without, by three
 * duplicates (RFC 5681, RFC 6582). A timeout takes everything for lost (RFC 6298).
 *
 *          una                         nxt        base + buffer.length
 *           |--- on the scoreboard ----|               |
 *           buffer[0] is sequence `base` (una, except around SYN and FIN)
 */
import { ByteRing } from './byte-ring.ts';
import type { CongestionControl } from './congestion.ts';
import { DUPLICATE_THRESHOLD } from './limits.ts';
import { Pacer } from './pacer.ts';
import { PeerWindow } from './peer-window.ts';
import { probeTimeout, Rack } from './rack.ts';
import { RoundTripSample } from './round-trip-sample.ts';
import { RetransmissionTimeout } from './rto.ts';
import { readSackBlocks, type SackReader } from './sack-blocks.ts';
import { Scoreboard, type Sent } from './scoreboard.ts';
import { add, after, before, distance } from './sequence.ts';
import { TailLossProbe } from './tail-loss-probe.ts';
import type { Segment } from './tcp-header.ts';

/** What the sending half needs of its connection. */
export interface SendLink {
  now(): number;
  /** Sends `length` bytes that lie `offset` into the buffer, with FIN if asked, as sequence `seq`. */
  transmit(seq: number, offset: number, length: number, fin: boolean): void;
  /** The send queue changed: look at the timer again. `restart` after progress (RFC 6298 section 5.3). */
  schedule(restart: boolean): void;
  /** Calls output() again after so long. */
  pace(ms: number): void;
}

export class SendSide {
  readonly buffer = new ByteRing();
  readonly rto = new RetransmissionTimeout();
  readonly congestion: CongestionControl;
  readonly #link: SendLink;
  readonly #board = new Scoreboard();
  readonly #rack: Rack;
  readonly #pacer = new Pacer();
  readonly #roundTrip = new RoundTripSample(this.rto);
  readonly #probe = new TailLossProbe();
  readonly iss: number;
  /** SND.UNA */
  una: number;
  /** SND.NXT */
  nxt: number;
  readonly window = new PeerWindow();
  /** Both ends permit selective acknowledgment. */
  sack = false;
  /** Payload of a full segment. */
  segmentSize = 1;
  /** When a fresh acknowledgment last arrived or sending began; what the user timeout counts from. */
  progressAt = 0;
  /** What is in flight was sent into silence, and none of it is acknowledged: nobody may be there any more. */
  unanswered = false;
  /** The last acknowledgment left something to send: what follows belongs to the same transfer. */
  #midway = false;
  /** Until a segment in flight could be told lost, 0 while none could (RFC 8985 section 6.2). */
  reorderMs = 0;
  #base: number;
  #finQueued = false;
  #recovering = false;
  /** Recovery ends when this is acknowledged, and none begins below it. */
  #recover: number;
  /** Duplicates that tell of segments which left the network, while there is no selective acknowledgment. */
  #duplicates = 0;
  #sentAt: number;
  /** The segment that the last timeout was about. */
  #timedOutSeq = -1;

  constructor(iss: number, congestion: CongestionControl, link: SendLink) {
    this.iss = iss;
    this.congestion = congestion;
    this.#link = link;
    this.#rack = new Rack(this.#board, iss);
    this.una = iss;
    // The SYN counts as sent from the start; the connection repeats it until it is acknowledged.
    this.nxt = add(iss, 1);
    this.#base = this.nxt;
    this.#recover = iss;
    this.#sentAt = link.now();
    this.progressAt = this.#sentAt;
  }

  get inFlight(): number {
    return distance(this.nxt, this.una);
  }

  /** Whether anything sent is unacknowledged. */
  get outstanding(): boolean {
    return this.una !== this.nxt;
  }

  /** Whether bytes or a FIN wait that were never sent. */
  get unsent(): boolean {
    return distance(this.nxt, this.#base) < this.buffer.length + (this.#finQueued ? 1 : 0);
  }

  get finQueued(): boolean {
    return this.#finQueued;
  }

  get finAcknowledged(): boolean {
    return this.#finQueued && this.una === add(this.#base, 1) && this.buffer.length === 0;
  }

  /** Milliseconds from the last transmission to a tail loss probe; 0 where none is due (RFC 8985 section 7.2). */
  get probeMs(): number {
    const quiet = !this.#recovering && this.#board.sackedSegments === 0 && this.#board.lost === 0;
    if (!this.sack || !quiet || this.#probe.isOut || this.#board.length === 0) return 0;
    return probeTimeout(this.rto.smoothedMs, this.#board.length === 1);
  }

  /**
   * The SYN is acknowledged: data may flow. `segment` carried the peer's first window.
   * @param sampleMs the round trip its timestamp shows, or -1.
   */
  start(segment: Segment, lostSyn: boolean, sampleMs: number): void {
    this.una = this.nxt;
    const now = this.#link.now();
    if (sampleMs >= 0) this.rto.sample(sampleMs, 1);
    else if (!lostSyn) this.rto.sample(now - this.#sentAt, 1);
    this.progressAt = now;
    this.congestion.start(this.segmentSize, lostSyn);
    this.window.take(segment);
    this.#link.schedule(true);
  }

  /** No byte may be written after this. */
  finish(): void {
    this.#finQueued = true;
  }

  /** Sends what windows allow. `force` sends one segment even if it is small (RFC 9293 section 3.8.6.2.1). */
  output(force = false): void {
    const now = this.#link.now();
    if (!this.outstanding && now - this.#sentAt > this.rto.ms) this.congestion.onIdle();
    let forced = force;
    while (this.#mayGo(now) && (this.#sendLost(now) || this.#sendNew(now, forced))) forced = false;
    this.#link.schedule(false);
  }

  #mayGo(now: number): boolean {
    const waitMs = this.#pacer.waitMs(now);
    if (waitMs === 0) return true;
    if (this.unsent || this.#board.lost > 0) this.#link.pace(waitMs);
    return false;
  }

  /** What is believed to be in the network; a duplicate tells of a segment that left it. */
  get #pipe(): number {
    return Math.max(0, this.#board.flying - this.#duplicates * this.segmentSize);
  }

  #sendLost(now: number): boolean {
    if (this.#board.lost === 0 || this.#pipe >= this.congestion.window) return false;
    this.#resend(this.#board.nextLost()!, now);
    return true;
  }

  #sendNew(now: number, forced: boolean): boolean {
    const offset = distance(this.nxt, this.#base);
    const waiting = this.buffer.length - offset;
    // Below zero once the FIN is out.
    if (waiting < 0) return false;
    const room = Math.min(this.window.bytes - this.inFlight, this.congestion.window - this.#pipe);
    const length = Math.min(waiting, this.segmentSize, Math.max(0, room));
    const fin = this.#finQueued && length === waiting && room > length;
    if (length === 0 && !fin) return false;
    // A runt because of the windows waits for room, unless it is half of what the peer ever offered. Nagle is off:
    // a runt because there is no more goes at once.
    const runt = length < this.segmentSize && length < waiting;
    if (runt && !forced && length < this.window.most / 2) return false;
    this.#send(now, offset, length, fin);
    return true;
  }

  #send(now: number, offset: number, length: number, fin: boolean): void {
    const seq = this.nxt;
    if (!this.outstanding) {
      this.progressAt = now;
      this.unanswered = !this.#midway;
    }
    this.nxt = add(seq, length + (fin ? 1 : 0));
    this.#board.push(seq, this.nxt, now);
    this.#put(now, seq, offset, length, fin);
  }

  #resend(sent: Sent, now: number): void {
    this.#board.resend(sent, now);
    const offset = distance(sent.seq, this.#base);
    const length = Math.min(distance(sent.end, sent.seq), this.buffer.length - offset);
    this.#put(now, sent.seq, offset, length, distance(sent.end, sent.seq) > length);
  }

  #put(now: number, seq: number, offset: number, length: number, fin: boolean): void {
    const { window, slowStart } = this.congestion;
    this.#sentAt = now;
    this.#pacer.sent(length, now, window, this.rto.smoothedMs, slowStart);
    this.#link.transmit(seq, offset, length, fin);
  }

  /** Whether RFC 5961 section 5.2 lets this acknowledgment be looked at. */
  isAcceptable(ack: number): boolean {
    return !after(ack, this.nxt) && distance(ack, this.una) >= -this.window.most;
  }

  /**
   * Takes an acceptable acknowledgment and its window.
   * @param sampleMs the round trip its timestamp shows, or -1.
   */
  acknowledge(segment: Segment, sampleMs: number): void {
    const now = this.#link.now();
    const advanced = after(segment.ack, this.una);
    const repeats = !advanced && this.#isDuplicate(segment);
    this.#roundTrip.begin(now, sampleMs);
    if (this.sack) readSackBlocks(segment, this.una, this.nxt, this.#blocks);
    if (advanced) this.#advance(segment.ack, now);
    if (this.sack) this.#detect(now);
    else if (repeats) this.#onDuplicate(now);
    this.window.update(segment, this.una);
  }

  readonly #onDelivered = (sent: Sent): void => {
    const now = this.#link.now();
    this.#roundTrip.delivered(sent, now);
    if (this.sack) this.#rack.delivered(sent, now, this.#roundTrip.echoedAt);
  };

  /** Ahead of a gap the echo is that of the last segment before it (RFC 7323 section 4.3): it tells nothing of this one. */
  readonly #onSacked = (sent: Sent): void => this.#rack.delivered(sent, this.#link.now(), -1);

  readonly #blocks: SackReader = {
    has: (start, end) => this.#board.sack(start, end, this.#onSacked),
    repeated: (end) => {
      if (!this.#probe.wasRepeated(end)) this.#rack.onDuplicate();
    },
  };

  #advance(ack: number, now: number): void {
    const unacknowledged = this.inFlight;
    const acknowledged = distance(ack, this.una);
    this.una = ack;
    this.unanswered = false;
    this.progressAt = now;
    const segments = this.#board.acknowledge(ack, this.#onDelivered);
    this.#release(ack);
    this.#midway = this.buffer.length > 0;
    this.#roundTrip.tell(now, Math.max(1, Math.ceil(unacknowledged / (2 * this.segmentSize))));
    if (this.#probe.settle(ack)) this.congestion.onLoss(unacknowledged);
    if (!this.#recovering) {
      this.#duplicates = 0;
      this.congestion.onAcknowledged(acknowledged, unacknowledged, now, Math.max(0, this.rto.smoothedMs));
    } else if (before(ack, this.#recover)) this.#onPartial(segments, now);
    else this.#onRecovered();
    this.#link.schedule(true);
  }

  #onRecovered(): void {
    this.#recovering = false;
    this.#duplicates = 0;
    this.#rack.onRecovered();
  }

  /** Without blocks the first unacknowledged segment is what else was lost (RFC 6582 section 3.2). */
  #onPartial(segments: number, now: number): void {
    if (this.sack) return;
    this.#duplicates = Math.max(0, this.#duplicates - segments);
    this.#loseFirst(now);
  }

  /** Lets go of the bytes before `ack`; a FIN has none. */
  #release(ack: number): void {
    const count = Math.min(distance(ack, this.#base), this.buffer.length);
    if (count <= 0) return;
    this.buffer.drop(count);
    this.#base = add(this.#base, count);
  }

  /** RFC 5681 section 2. */
  #isDuplicate(segment: Segment): boolean {
    return segment.ack === this.una && this.outstanding && segment.length === 0 && this.window.repeats(segment);
  }

  #onDuplicate(now: number): void {
    this.#duplicates++;
    if (this.#recovering || this.#duplicates !== DUPLICATE_THRESHOLD || !after(this.una, this.#recover)) return;
    this.#recoverFast();
    this.#loseFirst(now);
    this.#link.schedule(true);
  }

  #loseFirst(now: number): void {
    const first = this.#board.first;
    if (first === undefined || first.state !== 'flying') return;
    this.#board.markLost(first);
    this.#resend(first, now);
  }

  /** RFC 8985 section 6.2 step 5; the first of what is lost goes at once (RFC 6675 section 5, 4.3). */
  #detect(now: number): void {
    const { lost, waitMs } = this.#rack.detect(now, this.#recovering, Math.max(0, this.rto.smoothedMs));
    this.reorderMs = waitMs;
    if (lost && !this.#recovering && !before(this.una, this.#recover)) {
      this.#recoverFast();
      this.#resend(this.#board.nextLost()!, now);
    }
    if (lost || waitMs > 0) this.#link.schedule(lost);
  }

  /** The time for reordering is over. */
  onReorderTimeout(): void {
    this.reorderMs = 0;
    this.#detect(this.#link.now());
    this.output();
  }

  #recoverFast(): void {
    this.#recovering = true;
    this.#recover = this.nxt;
    this.congestion.onLoss(this.inFlight);
  }

  /** Sends something new if it may, or the last segment again, so that an acknowledgment comes (RFC 8985 section 7.3). */
  onProbeTimeout(): void {
    const now = this.#link.now();
    const before = this.nxt;
    const room = this.window.bytes - this.inFlight;
    const waiting = this.buffer.length - distance(this.nxt, this.#base);
    const length = Math.min(waiting, this.segmentSize, room);
    if (length > 0) this.#send(now, distance(this.nxt, this.#base), length, false);
    else if (this.#board.last !== undefined) this.#resend(this.#board.last, now);
    this.#probe.sent(this.nxt, this.nxt === before);
    this.#link.schedule(true);
  }

  /** The retransmission timer ran out. */
  onTimeout(): void {
    this.congestion.onTimeout(this.inFlight, this.una !== this.#timedOutSeq);
    this.#timedOutSeq = this.una;
    this.#roundTrip.timedOut(this.#link.now());
    this.rto.backOff();
    this.#goBack();
  }

  /** The path takes only smaller segments: cut everything anew. */
  resize(segmentSize: number): void {
    this.segmentSize = segmentSize;
    this.congestion.resize(segmentSize);
    this.#board.split(segmentSize);
    if (this.#board.length > 0) this.#goBack();
  }

  #goBack(): void {
    this.#recovering = false;
    this.#duplicates = 0;
    this.#probe.forget();
    this.reorderMs = 0;
    this.#recover = this.nxt;
    this.#board.loseAll();
    const first = this.#board.nextLost();
    if (first !== undefined) this.#resend(first, this.#link.now());
    this.#link.schedule(true);
  }

  /** The connection is over. */
  clear(): void {
    this.buffer.clear();
    this.#board.clear();
  }
}
