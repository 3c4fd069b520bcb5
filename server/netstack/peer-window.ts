/** SND.WND: what the peer lets us have in flight, and which of its segments may say so (RFC 9293 section 3.10.7.4). */
import { before } from './sequence.ts';
import { type Segment, SYN } from './tcp-header.ts';

export class PeerWindow {
  /** Bytes, now and at most so far. */
  bytes = 0;
  most = 0;
  /** The peer's window shift; the window of a SYN is not scaled (RFC 7323 section 2.2). */
  shift = 0;
  #wl1 = 0;
  #wl2 = 0;

  take(segment: Segment): void {
    this.bytes = segment.has(SYN) ? segment.window : segment.window << this.shift;
    this.most = Math.max(this.most, this.bytes);
    this.#wl1 = segment.seq;
    this.#wl2 = segment.ack;
  }

  /** Only segments newer than the last one used may move the window. */
  update(segment: Segment, una: number): void {
    const newer = before(this.#wl1, segment.seq) || (this.#wl1 === segment.seq && !before(segment.ack, this.#wl2));
    if (newer && !before(segment.ack, una)) this.take(segment);
  }

  /** Whether the segment says what was said before. */
  repeats(segment: Segment): boolean {
    return segment.window << this.shift === this.bytes;
  }
}
