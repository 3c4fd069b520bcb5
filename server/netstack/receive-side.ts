/**
 * The receiving half of a connection: the window we offer, reassembly, and when to acknowledge (RFC 9293 section
 * 3.8.6, RFC 5681 section 4.2). The window is what the reader has left free, so a paused reader closes it. Its size
 * starts small and doubles for a reader that keeps up.
 */
import { ByteRing } from './byte-ring.ts';
import { INITIAL_RECEIVE_BUFFER, MAX_STRETCH, QUICK_ACKS } from './limits.ts';
import { Reassembly } from './reassembly.ts';
import { SackReport } from './sack-report.ts';
import { add, after, before, distance } from './sequence.ts';
import { FIN, type Segment } from './tcp-header.ts';

/** When the segment just taken is to be acknowledged: `soon` once the packets at hand are taken, `later` by the timer. */
export type AckDue = 'none' | 'later' | 'soon' | 'now';

export class ReceiveSide {
  /** In order, not yet read. */
  readonly buffer = new ByteRing();
  readonly #reassembly = new Reassembly();
  /** What selective acknowledgments say. */
  readonly report = new SackReport();
  /** RCV.NXT */
  nxt = 0;
  /** One past the last sequence number ever offered: RCV.NXT + RCV.WND. It never moves back. */
  edge = 0;
  /** Our window shift; 0 until the peer agreed to scale. */
  shift = 0;
  /** Segment size we announced: the unit of silly windows. */
  segmentSize = 1;
  /** Bytes that arrived in order, ever. */
  received = 0;
  /** The peer's FIN was taken: nothing more will come. */
  finished = false;
  #limit: number;
  readonly #maximum: number;
  /** Bytes read since the limit last grew. */
  #sinceGrowth = 0;
  #unacknowledged = 0;
  #quick = QUICK_ACKS;
  /** Where the peer's FIN lies when it came ahead of a gap. */
  #finAt = -1;

  constructor(maximum: number) {
    this.#maximum = maximum;
    this.#limit = Math.min(INITIAL_RECEIVE_BUFFER, maximum);
  }

  /** RCV.WND */
  get window(): number {
    return Math.max(0, distance(this.edge, this.nxt));
  }

  /** What could be offered now, as far as the window field reaches. */
  get #free(): number {
    return Math.min(this.#limit - this.buffer.length, 0xffff * 2 ** this.shift);
  }

  /** Bytes of memory held. */
  get memory(): number {
    return this.buffer.capacity + this.#reassembly.size;
  }

  /** Whether something is missing before what has arrived: then every segment is acknowledged at once. */
  get hasGap(): boolean {
    return !this.#reassembly.isEmpty || (this.#finAt >= 0 && !this.finished);
  }

  /** The peer's SYN. */
  start(irs: number): void {
    this.nxt = add(irs, 1);
    this.edge = this.nxt;
  }

  /**
   * The window field for a segment sent now; moves the edge. A gain smaller than a segment is kept back (silly
   * window avoidance). Rounding down to the scale hides a few bytes from the peer; those stay acceptable.
   */
  advertise(shift: number): number {
    const free = this.#free;
    const gain = free - this.window;
    const offer = gain >= Math.min(this.segmentSize, this.#limit / 2) ? free : this.window;
    const field = Math.min(0xffff, offer >>> shift);
    const edge = add(this.nxt, field * 2 ** shift);
    if (after(edge, this.edge)) this.edge = edge;
    this.#unacknowledged = 0;
    return field;
  }

  /** Whether reading has freed so much that the peer should hear of it without having sent anything. */
  get updateDue(): boolean {
    const gain = this.#free - this.window;
    return gain >= Math.max(this.#limit / 4, Math.min(this.segmentSize, this.#limit / 2));
  }

  /** RFC 9293 table 6: does the segment touch the window? */
  isAcceptable(segment: Segment): boolean {
    const window = this.window;
    const start = distance(segment.seq, this.nxt);
    if (segment.length === 0) return window === 0 ? start === 0 : start >= 0 && start < window;
    // With a closed window a segment at its edge still brings its ACK; trimming takes its payload.
    if (window === 0) return start === 0;
    return start < window && start + segment.length > 0;
  }

  /** Takes payload and FIN of an acceptable segment whose SYN, if any, was dealt with. */
  take(segment: Segment): AckDue {
    const sentLength = segment.length;
    const hadGap = this.hasGap;
    this.#trim(segment);
    const end = add(segment.seq, segment.payloadLength);
    if (segment.has(FIN) && this.#finAt < 0) this.#learnFin(end);
    if (sentLength === 0) return 'none';
    if (segment.length === 0) return 'now';
    if (segment.seq !== this.nxt) {
      this.#keep(segment);
      return 'now';
    }
    this.#append(segment.bytes, segment.payloadAt, segment.payloadLength);
    this.#fillGap();
    this.report.advance(this.nxt);
    const ended = this.#takeFin();
    if (ended || hadGap) return 'now';
    return this.#acknowledgeEverySecond(segment.payloadLength);
  }

  /** Ahead of a gap. */
  #keep({ seq, bytes, payloadAt, payloadLength }: Segment): void {
    const kept = this.#reassembly.insert(seq, bytes, payloadAt, payloadAt + payloadLength);
    if (kept && payloadLength > 0) this.report.arrived(seq, add(seq, payloadLength));
  }

  /** Cuts what lies outside of the window or behind the peer's FIN. */
  #trim(segment: Segment): void {
    const old = distance(this.nxt, segment.seq);
    if (old > 0) {
      const cut = Math.min(old, segment.payloadLength);
      segment.seq = add(segment.seq, cut);
      segment.payloadAt += cut;
      segment.payloadLength -= cut;
    }
    const limit = this.#finAt >= 0 && before(this.#finAt, this.edge) ? this.#finAt : this.edge;
    const over = distance(add(segment.seq, segment.payloadLength), limit);
    if (over <= 0) return;
    segment.payloadLength = Math.max(0, segment.payloadLength - over);
    segment.flags &= ~FIN;
  }

  #learnFin(at: number): void {
    if (before(at, this.nxt)) return;
    this.#finAt = at;
    this.#reassembly.cut(at);
  }

  #append(bytes: Uint8Array, at: number, length: number): void {
    this.buffer.append(bytes, at, at + length);
    this.nxt = add(this.nxt, length);
    this.received += length;
  }

  #fillGap(): void {
    for (let piece = this.#reassembly.take(this.nxt); piece !== null; piece = this.#reassembly.take(this.nxt)) {
      this.#append(piece, 0, piece.length);
    }
  }

  #takeFin(): boolean {
    if (this.finished || this.#finAt !== this.nxt) return false;
    this.nxt = add(this.nxt, 1);
    if (after(this.nxt, this.edge)) this.edge = this.nxt;
    this.finished = true;
    return true;
  }

  #acknowledgeEverySecond(length: number): AckDue {
    this.#unacknowledged += length;
    if (this.#quick > 0) {
      this.#quick--;
      return 'soon';
    }
    if (this.#unacknowledged >= MAX_STRETCH) return 'now';
    return this.#unacknowledged >= 2 * this.segmentSize ? 'soon' : 'later';
  }

  /** Takes up to `count` bytes for the reader, who may read no more than `buffer.length`. */
  read(target: Uint8Array, count: number): void {
    this.buffer.copy(0, count, target, 0);
    this.buffer.drop(count);
    this.#sinceGrowth += count;
    if (this.buffer.length > 0 || this.#sinceGrowth < this.#limit) return;
    this.#limit = Math.min(this.#maximum, this.#limit * 2);
    this.#sinceGrowth = 0;
  }

  /** Nobody will read any more. */
  discard(): void {
    this.buffer.clear();
  }

  /** The connection is over: out-of-order data will never be completed. */
  release(): void {
    this.report.clear();
    this.#reassembly.clear();
  }
}
