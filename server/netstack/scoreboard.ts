/**
 * What was sent and is not acknowledged, segment by segment (RFC 6675 section 2, RFC 8985 section 5.2): when it was last
 * sent, and whether the peer has it, the network lost it, or nobody knows yet. Kept in the order of sequence numbers.
 * Who decides that one is lost is rack.ts; what it costs is congestion control's matter.
 */
import { after, before, distance } from './sequence.ts';

/** One segment. `end` counts a FIN. */
export interface Sent {
  seq: number;
  end: number;
  /** When it last went out. */
  sentAt: number;
  /** It went out more than once. */
  resent: boolean;
  state: 'flying' | 'lost' | 'sacked';
}

/** Hears of each segment the peer is first known to have. */
export type OnDelivered = (sent: Sent) => void;

export class Scoreboard {
  #segments: Sent[] = [];
  /** Index of the first that counts: taking from the front of an array one by one would move the rest. */
  #head = 0;
  /** Bytes by state. */
  #flying = 0;
  #lost = 0;
  #sackedSegments = 0;
  /** None before this index is lost. */
  #firstLost = 0;

  /** Bytes believed to be in the network. */
  get flying(): number {
    return this.#flying;
  }

  /** Bytes that must go again. */
  get lost(): number {
    return this.#lost;
  }

  get sackedSegments(): number {
    return this.#sackedSegments;
  }

  get length(): number {
    return this.#segments.length - this.#head;
  }

  get first(): Sent | undefined {
    return this.#segments[this.#head];
  }

  get last(): Sent | undefined {
    return this.length === 0 ? undefined : this.#segments[this.#segments.length - 1];
  }

  /** A new segment, behind all others. */
  push(seq: number, end: number, sentAt: number): void {
    this.#segments.push({ seq, end, sentAt, resent: false, state: 'flying' });
    this.#flying += distance(end, seq);
  }

  /** Lets go of what lies before `ack`. @returns how many segments that were. */
  acknowledge(ack: number, onDelivered: OnDelivered): number {
    let count = 0;
    for (let sent = this.first; sent !== undefined && before(sent.seq, ack); sent = this.first) {
      if (after(sent.end, ack)) {
        // A peer may take half of a segment; the rest stays what it was.
        this.#count(sent.state, -distance(ack, sent.seq));
        sent.seq = ack;
        break;
      }
      this.#count(sent.state, -distance(sent.end, sent.seq));
      if (sent.state === 'sacked') this.#sackedSegments--;
      else onDelivered(sent);
      this.#head++;
      count++;
    }
    this.#compact();
    return count;
  }

  /** The peer has what lies in [start, end). */
  sack(start: number, end: number, onDelivered: OnDelivered): void {
    for (let index = this.#indexAt(start); index < this.#segments.length; index++) {
      const sent = this.#segments[index]!;
      if (after(sent.end, end)) return;
      if (before(sent.seq, start) || sent.state === 'sacked') continue;
      this.#move(sent, 'sacked');
      this.#sackedSegments++;
      onDelivered(sent);
    }
  }

  markLost(sent: Sent): void {
    this.#move(sent, 'lost');
    const index = this.#indexAt(sent.seq);
    if (index < this.#firstLost) this.#firstLost = index;
  }

  /** The first that must go again. */
  nextLost(): Sent | undefined {
    if (this.#lost === 0) return undefined;
    let index = Math.max(this.#head, this.#firstLost);
    while (index < this.#segments.length && this.#segments[index]!.state !== 'lost') index++;
    this.#firstLost = index;
    return this.#segments[index];
  }

  /** It goes out again. */
  resend(sent: Sent, now: number): void {
    this.#move(sent, 'flying');
    sent.sentAt = now;
    sent.resent = true;
  }

  /**
   * The retransmission timer says that nothing more will come back. A peer that has dropped what it said it had shows it
   * by lacking the first (RFC 2018 section 8): then none of what it said counts.
   */
  loseAll(): void {
    const reneged = this.first?.state === 'sacked';
    for (const sent of this) {
      if (sent.state === 'sacked' && !reneged) continue;
      if (sent.state === 'sacked') this.#sackedSegments--;
      this.#move(sent, 'lost');
    }
    this.#firstLost = this.#head;
  }

  /** Cuts segments that are larger than the path now takes. */
  split(size: number): void {
    this.#segments = [...this].flatMap((sent) => cut(sent, size));
    this.#head = 0;
    this.#firstLost = 0;
    this.#sackedSegments = this.#segments.filter(({ state }) => state === 'sacked').length;
  }

  *[Symbol.iterator](): IterableIterator<Sent> {
    for (let index = this.#head; index < this.#segments.length; index++) yield this.#segments[index]!;
  }

  /** Visits those that may be lost, while it is told to go on. A generator would cost more than the work. */
  eachFlying(visit: (sent: Sent) => boolean): void {
    for (let index = this.#head; index < this.#segments.length; index++) {
      const sent = this.#segments[index]!;
      if (sent.state === 'flying' && !visit(sent)) return;
    }
  }

  clear(): void {
    this.#segments = [];
    this.#head = this.#firstLost = this.#flying = this.#lost = this.#sackedSegments = 0;
  }

  #move(sent: Sent, to: Sent['state']): void {
    const bytes = distance(sent.end, sent.seq);
    this.#count(sent.state, -bytes);
    sent.state = to;
    this.#count(to, bytes);
  }

  #count(state: Sent['state'], bytes: number): void {
    if (state === 'flying') this.#flying += bytes;
    else if (state === 'lost') this.#lost += bytes;
  }

  /** The first segment that does not end before or at `seq`. */
  #indexAt(seq: number): number {
    let low = this.#head;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (after(this.#segments[middle]!.end, seq)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #compact(): void {
    if (this.#head < 1024 && this.#head < this.#segments.length) return;
    this.#segments.splice(0, this.#head);
    this.#firstLost = Math.max(0, this.#firstLost - this.#head);
    this.#head = 0;
  }
}

function cut(sent: Sent, size: number): Sent[] {
  const parts: Sent[] = [];
  for (let at = sent.seq; before(at, sent.end); ) {
    const end = (at + Math.min(size, distance(sent.end, at))) >>> 0;
    parts.push({ ...sent, seq: at, end });
    at = end;
  }
  return parts;
}
