/**
 * One TCP connection (RFC 9293): its state, what the application may ask of it, and the segments it makes. What an
 * arriving segment does to it is in arrival.ts; bytes out are send-side.ts, bytes in receive-side.ts, time timers.ts.
 * It knows nothing of Node streams: socket.ts is its user.
 */
import type { Clock } from '../../protocol/clock.ts';
import type { CongestionControl } from './congestion.ts';
import type { NetworkError } from './errors.ts';
import type { Flow } from './flow.ts';
import {
  CHALLENGE_ACKS_PER_S,
  DEFAULT_SEGMENT_SIZE,
  MAX_OPTIONS,
  MIN_MTU_4,
  MIN_MTU_6,
  MIN_SEGMENT_SIZE,
  MIN_SEND_BUFFER,
  TCP_HEADER,
  TIMESTAMP_OPTION,
} from './limits.ts';
import { RateLimit } from './rate-limit.ts';
import { ReceiveSide } from './receive-side.ts';
import type { Block } from './sack-report.ts';
import { type SendLink, SendSide } from './send-side.ts';
import { abortsWithReset, isSynchronized, mayReceive, type State } from './state.ts';
import { ACK, FIN, newSegment, PSH, RST, type Segment, SYN, sealSegment } from './tcp-header.ts';
import { sackLength, synOptionsLength, writeSack, writeSynOptions, writeTimestamps } from './tcp-options.ts';
import { ConnectionTimers, type TimedConnection } from './timers.ts';
import { Timestamps } from './timestamps.ts';

const noBlocks: readonly Block[] = [];

/** The stack, as a connection sees it. */
export interface ConnectionHost {
  readonly clock: Clock;
  readonly mtu: number;
  /** Ceiling of each buffer. */
  readonly bufferSize: number;
  /** Queues a packet; it leaves at the next {@link flush}. */
  transmit(packet: Uint8Array): void;
  flush(): void;
  /** Calls {@link Connection.acknowledgeIfOwed} when the packets at hand are taken. */
  acknowledgeSoon(connection: Connection): void;
  /** The connection moved to TIME-WAIT. */
  waiting(connection: Connection): void;
  /** The connection is gone. */
  released(connection: Connection): void;
}

/** The application's side of a connection. None of these may run application code before they return. */
export interface ConnectionUser {
  established(): void;
  /** Bytes or the end of the stream can be read. */
  readable(): void;
  /** The send buffer has room. */
  writable(): void;
  /** The connection is over: null when both directions ended in order. */
  closed(error: NetworkError | null): void;
}

/** What distinguishes a connection from all others; see initial-sequence.ts. */
export interface ConnectionSeed {
  readonly iss: number;
  readonly timestampOffset: number;
}

export class Connection implements SendLink, TimedConnection {
  readonly flow: Flow;
  readonly passive: boolean;
  readonly send: SendSide;
  readonly receive: ReceiveSide;
  readonly timestamps: Timestamps;
  readonly timers: ConnectionTimers;
  state: State;
  user: ConnectionUser | null;
  /** The application let go; what it wrote is still delivered. */
  orphaned = false;
  /** The next in its bucket of the connection table. */
  next: Connection | null = null;
  /** Last.ACK.sent of RFC 7323. */
  lastAckSent = 0;
  /** An acknowledgment must go out with or after this segment. */
  ackOwed = false;
  #ackSoon = false;
  readonly #host: ConnectionHost;
  readonly #challenges = new RateLimit(CHALLENGE_ACKS_PER_S);
  #scaling = true;

  constructor(
    host: ConnectionHost,
    flow: Flow,
    seed: ConnectionSeed,
    congestion: CongestionControl,
    user: ConnectionUser,
    passive: boolean,
  ) {
    this.#host = host;
    this.flow = flow;
    this.passive = passive;
    this.user = user;
    this.state = passive ? 'syn-received' : 'syn-sent';
    this.timestamps = new Timestamps(seed.timestampOffset);
    this.send = new SendSide(seed.iss, congestion, this);
    this.receive = new ReceiveSide(host.bufferSize);
    this.receive.segmentSize = this.#announcedSegmentSize();
    this.timers = new ConnectionTimers(this, host.clock);
  }

  now(): number {
    return this.#host.clock.monotonic();
  }

  flush(): void {
    this.#host.flush();
  }

  // Opening.

  /** OPEN, active. */
  openActive(): void {
    this.sendSyn();
    this.schedule(true);
    this.flush();
  }

  /** A SYN reached a listener; the answer leaves with the stack's next flush. */
  openPassive(syn: Segment): void {
    this.learnSyn(syn);
    this.sendSyn();
    this.schedule(true);
  }

  /** The peer's SYN: its sequence number, and which options both have. */
  learnSyn(syn: Segment): void {
    const { options } = syn;
    this.receive.start(syn.seq);
    this.timestamps.start(syn, this.now());
    this.send.sack = options.sackPermitted;
    this.#scaling = options.windowShift >= 0;
    this.send.window.shift = this.#scaling ? options.windowShift : 0;
    const peer = options.segmentSize || DEFAULT_SEGMENT_SIZE[this.flow.version];
    const largest = Math.min(Math.max(peer, MIN_SEGMENT_SIZE), this.#announcedSegmentSize());
    this.send.segmentSize = largest - (this.timestamps.enabled ? TIMESTAMP_OPTION : 0);
  }

  /** The peer acknowledged our SYN. */
  establish(segment: Segment): void {
    this.receive.shift = this.#scaling ? this.#ownShift() : 0;
    this.send.start(segment, this.timers.synRetransmits > 0, this.timestamps.sample(segment, this.now()));
    this.state = this.send.finQueued ? 'fin-wait-1' : 'established';
    this.timers.heard();
  }

  // What the application asks.

  /** Takes what fits of bytes[from…). @returns how many; more fit after `writable`. */
  append(bytes: Uint8Array, from: number): number {
    const limit = Math.min(this.#host.bufferSize, Math.max(MIN_SEND_BUFFER, 2 * this.send.congestion.window));
    const count = Math.min(bytes.length - from, Math.max(0, limit - this.send.buffer.length));
    if (count > 0) this.send.buffer.append(bytes, from, from + count);
    return count;
  }

  /** Sends what was appended, as far as the windows allow. */
  push(): void {
    if (!isSynchronized(this.state)) return;
    this.send.output();
    this.flush();
  }

  /** Takes `count` bytes that are there, and tells the peer when that opened the window again. */
  read(target: Uint8Array, count: number): void {
    this.receive.read(target, count);
    if (mayReceive(this.state) && this.receive.updateDue) this.sendAck();
  }

  /** CLOSE: our direction ends after what was written. */
  close(): void {
    if (this.send.finQueued) return;
    this.send.finish();
    if (this.state === 'established') this.state = 'fin-wait-1';
    else if (this.state === 'close-wait') this.state = 'last-ack';
    this.push();
  }

  /** The application lets go of an orderly connection: the rest happens without it. */
  orphan(): void {
    const unread = this.receive.buffer.length > 0;
    this.orphaned = true;
    this.user = null;
    this.receive.discard();
    this.timers.keepAlive(0);
    this.close();
    if (this.state === 'fin-wait-2') this.orphanedInFinWait(unread);
  }

  /** Our FIN is acknowledged and nobody would read what came: RST if something did (RFC 2525 section 2.17). */
  orphanedInFinWait(unread: boolean): void {
    if (unread) this.abort(null);
    else this.timers.orphanedInFinWait();
  }

  /** ABORT: tells the peer where a peer would care. */
  abort(error: NetworkError | null): void {
    if (abortsWithReset(this.state)) this.#emit(this.send.nxt, RST | ACK, 0, 0);
    this.release(error);
    this.flush();
  }

  // What becomes of it.

  enterTimeWait(): void {
    if (this.state !== 'time-wait') {
      this.state = 'time-wait';
      this.receive.release();
      this.#host.waiting(this);
    }
    this.timers.timeWait();
  }

  /** Forgets everything but what the reader has not taken yet. */
  release(error: NetworkError | null): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.timers.dispose();
    this.send.clear();
    this.receive.release();
    this.#host.released(this);
    const user = this.user;
    this.user = null;
    user?.closed(error);
  }

  /** The path takes no packet larger than `mtu`; 0 when the router did not say. */
  limitPath(mtu: number): void {
    const floor = this.flow.version === 4 ? MIN_MTU_4 : MIN_MTU_6;
    const headers = this.flow.ipHeader + TCP_HEADER + (this.timestamps.enabled ? TIMESTAMP_OPTION : 0);
    const segmentSize = Math.max(mtu, floor) - headers;
    if (isSynchronized(this.state) && segmentSize < this.send.segmentSize) this.send.resize(segmentSize);
  }

  // Segments out.

  schedule(restart: boolean): void {
    this.timers.schedule(restart);
  }

  /** SYN, or SYN and ACK once the peer's SYN is known. */
  sendSyn(): void {
    const answering = this.state === 'syn-received';
    const options = {
      segmentSize: this.#announcedSegmentSize(),
      windowShift: this.#scaling ? this.#ownShift() : null,
      timestamps: this.timestamps.enabled
        ? { value: this.timestamps.value(this.now()), echo: this.timestamps.echo }
        : null,
      sack: !answering || this.send.sack,
    };
    const packet = newSegment(this.flow, synOptionsLength(options), 0);
    writeSynOptions(packet, this.flow.ipHeader + TCP_HEADER, options);
    this.#seal(packet, this.send.iss, answering ? SYN | ACK : SYN, 0);
  }

  /** An acknowledgment now; it leaves with the stack's next flush. */
  sendAck(): void {
    this.#emit(this.send.nxt, ACK, 0, 0);
    this.flush();
  }

  /** An acknowledgment once the packets that came together are taken, if nothing carries it before. */
  acknowledgeSoon(): void {
    if (this.#ackSoon) return;
    this.#ackSoon = true;
    this.#host.acknowledgeSoon(this);
  }

  acknowledgeIfOwed(): void {
    if (this.#ackSoon && this.state !== 'closed') this.sendAck();
    this.#ackSoon = false;
  }

  /** An acknowledgment in answer to a suspicious segment, while those are not too many (RFC 5961). */
  challenge(): void {
    if (this.#challenges.take(this.now())) this.#emit(this.send.nxt, ACK, 0, 0);
  }

  /** RST for a segment whose ACK makes no sense while our SYN waits for its own (RFC 9293 section 3.10.7.3). */
  refuse(segment: Segment): void {
    const packet = newSegment(this.flow, 0, 0);
    sealSegment(packet, this.flow, segment.ack, 0, RST, 0);
    this.#host.transmit(packet);
  }

  transmit(seq: number, offset: number, length: number, fin: boolean): void {
    const last = length > 0 && offset + length === this.send.buffer.length;
    const { ackOwed } = this;
    this.#emit(seq, ACK | (last ? PSH : 0) | (fin ? FIN : 0), offset, length);
    // Text carries no blocks, so they still need a segment of their own.
    if (length > 0 && this.send.sack && !this.receive.report.isEmpty) this.ackOwed = ackOwed;
  }

  pace(ms: number): void {
    this.timers.pace(ms);
  }

  #emit(seq: number, flags: number, offset: number, length: number): void {
    const stampLength = this.timestamps.enabled ? TIMESTAMP_OPTION : 0;
    const blocks = this.#blocks(length, stampLength);
    const packet = newSegment(this.flow, stampLength + sackLength(blocks.length), length);
    const at = this.flow.ipHeader + TCP_HEADER;
    if (stampLength > 0) writeTimestamps(packet, at, this.timestamps.value(this.now()), this.timestamps.echo);
    if (blocks.length > 0) writeSack(packet, at + stampLength, blocks);
    if (length > 0) this.send.buffer.copy(offset, length, packet, packet.length - length);
    this.#seal(packet, seq, flags, this.receive.shift);
  }

  /** What an acknowledgment without text says of what arrived ahead of a gap. */
  #blocks(length: number, stampLength: number): readonly Block[] {
    const { report } = this.receive;
    if (length > 0 || !this.send.sack || report.isEmpty) return noBlocks;
    return report.take(Math.floor((MAX_OPTIONS - stampLength - 4) / 8));
  }

  #seal(packet: Uint8Array, seq: number, flags: number, shift: number): void {
    const acknowledging = (flags & ACK) !== 0;
    // Before the peer's SYN there is no sequence number to offer a window from.
    const window = acknowledging ? this.receive.advertise(shift) : Math.min(0xffff, this.#host.bufferSize);
    sealSegment(packet, this.flow, seq, acknowledging ? this.receive.nxt : 0, flags, window);
    if (acknowledging) {
      this.lastAckSent = this.receive.nxt;
      this.ackOwed = false;
      this.#ackSoon = false;
      this.timers.acknowledged();
    }
    this.#host.transmit(packet);
  }

  /** Our MSS option: what fits the MTU without options (RFC 6691). */
  #announcedSegmentSize(): number {
    return this.#host.mtu - this.flow.ipHeader - TCP_HEADER;
  }

  /** The smallest shift with which the whole buffer can be offered. */
  #ownShift(): number {
    let shift = 0;
    while (0xffff * 2 ** shift < this.#host.bufferSize) shift++;
    return shift;
  }
}
