/**
 * One QUIC connection over quiche: feeds it datagrams, sends what it wants sent, keeps its timer, hands out its streams.
 *
 * The engine is `@matrixai/quic`'s native binding, not its classes: those send a hostile peer's mistakes to
 * `uncaughtException`, and a gateway must outlive them. Nothing here throws into the event loop.
 */
import type { Connection } from '@matrixai/quic/native/types.js';
import { transportLimits } from '../limits.ts';
import { QuicStream, type StreamHost } from './quic-stream.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ConnectionEvents {
  /** TLS is done and the peer's address is proved. */
  onEstablished(): void;
  /** The peer opened a stream. */
  onStream(stream: QuicStream): void;
  /** A DATAGRAM frame came (RFC 9221); the bytes are the callee's. */
  onDatagram(bytes: Uint8Array): void;
  /** Once, whoever closed or whatever was lost. */
  onClosed(): void;
}

interface ConnectionOptions {
  readonly native: Connection;
  readonly local: Address;
  readonly peer: Address;
  readonly role: 'client' | 'server';
  readonly send: (packet: Uint8Array, to: Address) => void;
}

const noReason = new Uint8Array(0);
/** Each pass ends with a packet that quiche had nothing for. */
let spare: Buffer | undefined;

export class QuicConnection implements StreamHost {
  readonly native: Connection;
  readonly peer: Address;
  events: ConnectionEvents | undefined;
  #ended = false;
  #established = false;
  readonly #local: Address;
  readonly #send: ConnectionOptions['send'];
  readonly #streams = new Map<number, QuicStream>();
  readonly #blocked = new Set<QuicStream>();
  readonly #seen = new PeerStreamIds();
  #nextBidi: number;
  #nextUni: number;
  #turn: NodeJS.Immediate | undefined;
  // quiche reads the machine's own monotonic clock, so its timer cannot be an injected one.
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #keepAlive: NodeJS.Timeout | undefined;

  constructor({ native, local, peer, role, send }: ConnectionOptions) {
    this.native = native;
    this.peer = peer;
    this.#local = local;
    this.#send = send;
    this.#nextBidi = role === 'client' ? 0 : 1;
    this.#nextUni = role === 'client' ? 2 : 3;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get established(): boolean {
    return this.#established;
  }

  /** Takes a datagram, whose bytes are decrypted in place. False when quiche refused it. */
  receive(datagram: Uint8Array, from: Address): boolean {
    if (this.#ended) return false;
    let taken = true;
    try {
      this.native.recv(datagram, { from, to: this.#local });
    } catch {
      // quiche drops what it cannot use, or has noted the error and will send its CONNECTION_CLOSE in the next turn.
      taken = false;
    }
    this.flushSoon();
    return taken;
  }

  /** Opens a stream of ours and writes its first bytes. */
  open(kind: 'bidi' | 'uni', first: Uint8Array): QuicStream {
    const id = kind === 'bidi' ? this.#nextBidi : this.#nextUni;
    const stream = new QuicStream(this, id);
    try {
      // quiche knows a stream of ours only after a write, be it empty; the peer's stream limit shows here.
      this.native.streamSend(id, noReason, false);
    } catch {
      stream.abort(0);
      return stream;
    }
    if (kind === 'bidi') this.#nextBidi += 4;
    else this.#nextUni += 4;
    this.#streams.set(id, stream);
    // A failure shows again at the next use of the stream.
    stream.write(first).catch(() => undefined);
    if (kind === 'uni') stream.stopReading(0);
    return stream;
  }

  /** The largest DATAGRAM that the peer and the path take now, in bytes; 0 for none. */
  get maxDatagramBytes(): number {
    return this.#ended ? 0 : (this.native.dgramMaxWritableLen() ?? 0);
  }

  /** Sends a DATAGRAM or drops it: a full queue, a peer that takes none, a path too narrow. */
  sendDatagram(bytes: Uint8Array): void {
    if (this.#ended) return;
    try {
      this.native.dgramSend(bytes);
    } catch {
      // Lost, as datagrams are.
    }
    this.flushSoon();
  }

  /** Closes with an application error code (or, for `app` false, a transport's). */
  close(code: number, app = true): void {
    if (this.#ended) return;
    try {
      this.native.close(app, code, noReason);
    } catch {
      // Already closing.
    }
    this.flush();
    this.#end();
  }

  flushSoon(): void {
    if (this.#ended) return;
    this.#turn ??= setImmediate(() => this.#work());
  }

  blocked(stream: QuicStream): void {
    this.#blocked.add(stream);
  }

  finished(stream: QuicStream): void {
    this.#streams.delete(stream.id);
    this.#blocked.delete(stream);
  }

  /** One turn for all that arrived since the last: so a burst of datagrams costs one pass. */
  #work(): void {
    this.#turn = undefined;
    if (this.#ended) return;
    if (!this.#established && this.native.isEstablished()) this.#establish();
    if (this.#established) this.#wakeReaders();
    if (this.#established) this.#takeDatagrams();
    this.#retryBlocked();
    this.flush();
    if (this.native.isDraining() || this.native.isClosed()) this.#end();
  }

  #establish(): void {
    this.#established = true;
    this.#keepAlive = setInterval(() => this.#ping(), transportLimits.keepAliveMs).unref();
    this.events?.onEstablished();
  }

  #ping(): void {
    try {
      this.native.sendAckEliciting();
    } catch {
      // Closing.
    }
    this.flushSoon();
  }

  #wakeReaders(): void {
    // Most packets are pings and acknowledgements: a list made for each costs more than all else that they do.
    if (!this.native.isReadable()) return;
    for (const id of this.native.readable()) {
      const known = this.#streams.get(id);
      if (known !== undefined) known.wakeReader();
      else if (this.#seen.add(id)) this.#accept(id);
    }
  }

  #takeDatagrams(): void {
    for (let left = this.native.dgramRecvQueueLen(); left > 0 && !this.#ended; left--) {
      const bytes = this.native.dgramRecvVec();
      if (bytes === null) return;
      this.events?.onDatagram(bytes);
    }
  }

  #accept(id: number): void {
    const stream = new QuicStream(this, id);
    this.#streams.set(id, stream);
    // Of the peer's alone: there is no direction of ours to end.
    if (id & 2) stream.resetWriting(0);
    this.events?.onStream(stream);
  }

  #retryBlocked(): void {
    if (this.#blocked.size === 0) return;
    const waiting = [...this.#blocked];
    this.#blocked.clear();
    for (const stream of waiting) stream.retryWrites();
  }

  flush(): void {
    for (let i = 0; i < transportLimits.packetsPerTurn; i++) {
      const packet = spare ?? Buffer.allocUnsafe(transportLimits.udpPayloadBytes);
      const sent = this.#nextPacket(packet);
      // The socket has the bytes until they are sent; what was not filled serves whoever sends next.
      spare = sent === null ? packet : undefined;
      if (sent === null) {
        this.#armTimer();
        return;
      }
      this.#send(packet.subarray(0, sent[0]), sent[1].to);
    }
    // More waits; let other connections and incoming acknowledgements have their turn first.
    this.flushSoon();
  }

  #nextPacket(packet: Uint8Array): ReturnType<Connection['send']> {
    try {
      return this.native.send(packet);
    } catch {
      return null;
    }
  }

  /** Sets quiche's timer. One that is set for earlier stays: it looks again when it fires, which is cheaper than moving it each turn. */
  #armTimer(): void {
    const delay = this.native.timeout();
    if (delay === null || this.#ended) return;
    const at = performance.now() + delay;
    if (at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#timeout(), delay + 1);
  }

  #timeout(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    if (this.#ended) return;
    // Does nothing when nothing is due.
    if ((this.native.timeout() ?? 1) === 0) this.native.onTimeout();
    this.#work();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearImmediate(this.#turn);
    clearTimeout(this.#timer);
    clearInterval(this.#keepAlive);
    for (const stream of [...this.#streams.values()]) {
      stream.retryWrites();
      stream.wakeReader();
    }
    this.events?.onClosed();
  }
}

/** Which streams of the peer were there already. quiche names a finished stream again when late packets of it arrive. */
class PeerStreamIds {
  /** By the two low bits of an id: the next id that was never named. */
  readonly #next = [0, 1, 2, 3];
  /** Ids below that which have not come yet: a later stream can overtake an earlier one. At most a stream limit's worth. */
  readonly #skipped = new Set<number>();

  /** True the first time. */
  add(id: number): boolean {
    const kind = id & 3;
    if (id < this.#next[kind]!) return this.#skipped.delete(id);
    for (let skipped = this.#next[kind]!; skipped < id; skipped += 4) this.#skipped.add(skipped);
    this.#next[kind] = id + 4;
    return true;
  }
}
