/**
 * One QUIC stream over quiche: reads that pull, writes that wait. quiche keeps the flow-control windows; a reader that does
 * not read stops the peer, and a write settles only when quiche has taken all its bytes.
 */
import type { Connection } from '@matrixai/quic/native/types.js';
import { CarrierError } from '../../../protocol/carrier.ts';
import { transportLimits } from '../limits.ts';

/** What a stream needs from the connection it belongs to. */
export interface StreamHost {
  readonly native: Connection;
  /** True once the connection is lost or closed; what quiche still holds can be read, nothing more will come. */
  readonly ended: boolean;
  /** Asks for packets to be sent, soon and together. */
  flushSoon(): void;
  /** Sends packets now, before any that arrive are looked at. */
  flush(): void;
  /** The stream has bytes that quiche would not take yet; {@link QuicStream.retryWrites} is to be called as room comes. */
  blocked(stream: QuicStream): void;
  /** Both directions are over. */
  finished(stream: QuicStream): void;
}

interface Pending {
  bytes: Uint8Array;
  readonly settle: PromiseWithResolvers<void>;
}

const none = new Uint8Array(0);
/** One read takes at most this much; shared by all streams, as a read copies its bytes out at once. */
const scratch = new Uint8Array(64 * 1024);
// quiche's enum, by value: importing it would load the native module for a type's sake.
const shutdownRead = 0;
const shutdownWrite = 1;
const mostUrgent = 0;

export class QuicStream {
  readonly id: number;
  readonly #host: StreamHost;
  #reading: 'open' | 'ended' | 'cut' = 'open';
  #writing: 'open' | 'ending' | 'ended' | 'cut' = 'open';
  #wakeReader: (() => void) | undefined;
  readonly #pending: Pending[] = [];

  constructor(host: StreamHost, id: number) {
    this.#host = host;
    this.id = id;
  }

  /** The next bytes; null when the peer ended its direction; rejects with CarrierError 'cut'. One read at a time. */
  async read(): Promise<Uint8Array | null> {
    if (this.#wakeReader !== undefined) throw new TypeError('a read is under way');
    while (true) {
      if (this.#reading === 'ended') return null;
      if (this.#reading === 'cut') throw new CarrierError('cut');
      const bytes = this.#receive();
      if (bytes !== undefined && bytes.length > 0) return bytes;
      if (bytes === undefined && this.#reading === 'open') await this.#readable();
    }
  }

  /** Resolves when quiche has taken the bytes. Writes keep their order. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#writing !== 'open') throw new CarrierError('cut');
    const settle = Promise.withResolvers<void>();
    this.#pending.push({ bytes, settle });
    if (this.#pending.length === 1) this.retryWrites();
    return settle.promise;
  }

  /** Ends our direction behind what is still waiting to be written. */
  finish(): void {
    if (this.#writing !== 'open') return;
    this.#writing = 'ending';
    if (this.#pending.length === 0) this.retryWrites();
  }

  /** Drops both directions; `code` is the QUIC application error the peer sees. */
  abort(code: number): void {
    this.stopReading(code);
    this.resetWriting(code);
  }

  /** STOP_SENDING: what the peer still sends is thrown away. */
  stopReading(code: number): void {
    if (this.#reading !== 'open') return;
    this.#shutdown(shutdownRead, code);
    this.#endReading('cut');
  }

  /** RESET_STREAM: what waits to be written is thrown away. */
  resetWriting(code: number): void {
    if (this.#writing === 'ended' || this.#writing === 'cut') return;
    this.#shutdown(shutdownWrite, code);
    this.#endWriting('cut');
  }

  /** For the connection: quiche says there is something to read, or nothing will come any more. */
  wakeReader(): void {
    this.#wakeReader?.();
  }

  /** For the connection: offers quiche what waits, and parks the stream again where it takes only a part. */
  retryWrites(): void {
    try {
      if (this.#host.ended) throw new CarrierError('cut');
      while (this.#pending.length > 0) {
        if (!this.#send(this.#pending[0]!)) return;
        this.#pending.shift()!.settle.resolve();
      }
      if (this.#writing === 'ending' && this.#sayEnd()) this.#endWriting('ended');
    } catch {
      // STOP_SENDING, a lost connection, a stream limit: this direction is gone, whatever the cause.
      this.#endWriting('cut');
    }
  }

  /** True when quiche took the whole of it. */
  #send(pending: Pending): boolean {
    const sent = this.#host.native.streamSend(this.id, pending.bytes, false) ?? 0;
    if (sent > 0) this.#host.flushSoon();
    if (sent === pending.bytes.length) return true;
    pending.bytes = pending.bytes.subarray(sent);
    this.#host.blocked(this);
    return false;
  }

  /**
   * False while there is no room, or no credit, for a packet. quiche 0.18 forgets a stream whose data is all acknowledged, though its FIN never
   * left. So the FIN is given to quiche when it can leave at once, ahead of what other streams have waiting. (One that the
   * path then loses behind acknowledged data stays lost, and with many streams at once one is forgotten all the same now and then: where
   * an end matters, a record says it.)
   */
  #sayEnd(): boolean {
    const { native } = this.#host;
    if (native.streamCapacity(this.id) < transportLimits.udpPayloadBytes) {
      this.#host.blocked(this);
      return false;
    }
    native.streamPriority(this.id, mostUrgent, true);
    native.streamSend(this.id, none, true);
    this.#host.flush();
    return true;
  }

  /** What quiche holds now; undefined when it holds nothing. */
  #receive(): Uint8Array | undefined {
    let result: [number, boolean] | null;
    try {
      result = this.#host.native.streamRecv(this.id, scratch);
    } catch {
      this.#endReading('cut');
      return undefined;
    }
    if (result === null) {
      if (this.#host.ended) this.#endReading('cut');
      return undefined;
    }
    const [length, fin] = result;
    const bytes = scratch.slice(0, length);
    // Reading gives the peer new credit, which has to be told.
    this.#host.flushSoon();
    if (fin) this.#endReading('ended');
    return bytes;
  }

  async #readable(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wakeReader = resolve;
    await promise;
    this.#wakeReader = undefined;
  }

  #endReading(how: 'ended' | 'cut'): void {
    this.#reading = how;
    this.#wakeReader?.();
    this.#settleIfOver();
  }

  #endWriting(how: 'ended' | 'cut'): void {
    this.#writing = how;
    for (const { settle } of this.#pending.splice(0)) settle.reject(new CarrierError('cut'));
    this.#settleIfOver();
  }

  #settleIfOver(): void {
    const writingOver = this.#writing === 'ended' || this.#writing === 'cut';
    if (this.#reading === 'open' || !writingOver) return;
    // quiche 0.18 keeps a stream that the peer reset before we ended our half, and with it the room of one stream, unless
    // it is told once more that nobody reads.
    if (this.#reading === 'cut' && !this.#host.ended) this.#shutdown(shutdownRead, 0);
    this.#host.finished(this);
  }

  #shutdown(direction: 0 | 1, code: number): void {
    try {
      this.#host.native.streamShutdown(this.id, direction, code);
      this.#host.flushSoon();
    } catch {
      // quiche no longer knows the stream: the peer was first.
    }
  }
}
