/**
 * A WebTransport session (draft-02) as a Carrier. The session is the HTTP/3 connection's only one; its CONNECT stream
 * carries its end as a capsule, its streams carry our channels.
 */

import { Arrivals } from '../../../protocol/arrivals.ts';
import { type Carrier, CarrierError, type Channel, transportByte } from '../../../protocol/carrier.ts';
import { encodePreamble, FrameReader } from '../../../protocol/frames.ts';
import { transportLimits } from '../limits.ts';
import { SessionDatagramsOverQuic } from './datagrams.ts';
import { closeSessionCapsule, frame, frameType, joined, streamErrorNumber, streamHeader } from './http3.ts';
import type { QuicConnection } from './quic-connection.ts';
import type { QuicStream } from './quic-stream.ts';
import { StreamChannel } from './stream-channel.ts';

const noError = 0x100;

export class WebTransportCarrier implements Carrier {
  readonly transport = transportByte.webtransport;
  readonly closed: Promise<void>;
  readonly datagrams: SessionDatagramsOverQuic;
  readonly #connection: QuicConnection;
  readonly #request: QuicStream;
  readonly #onMalformed: () => void;
  readonly #arrivals = new Arrivals<Channel>();
  readonly #channels = new Set<QuicStream>();
  readonly #settleClosed: () => void;
  #ended = false;

  /** `request` is the CONNECT stream, already answered with 200. */
  constructor(connection: QuicConnection, request: QuicStream, onMalformed: () => void) {
    this.#connection = connection;
    this.#request = request;
    this.#onMalformed = onMalformed;
    this.datagrams = new SessionDatagramsOverQuic(connection, request.id);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#settleClosed = resolve;
  }

  get sessionId(): number {
    return this.#request.id;
  }

  open(streamId: bigint): Channel {
    if (this.#ended) throw new CarrierError('cut');
    const stream = this.#connection.open('bidi', joined([streamHeader(this.sessionId), encodePreamble(streamId)]));
    return new StreamChannel(streamId, stream, new FrameReader(), this.#onMalformed);
  }

  accept(): Promise<Channel | null> {
    return this.#arrivals.next();
  }

  /** Says so to the peer, lets what is written go out, and gives the peer a moment to take it. */
  close(): void {
    if (this.#ended) return;
    this.#end();
    // A failed write is a connection that is gone already, which is what we want.
    this.#request.write(frame(frameType.data, closeSessionCapsule(0))).catch(() => undefined);
    this.#request.finish();
    const timer = setTimeout(() => this.#connection.close(noError), transportLimits.closeLingerMs);
    timer.unref();
  }

  /** A stream of the peer's for this session, whose header was read; `rest` is what came behind it. */
  async adopt(stream: QuicStream, rest: Uint8Array): Promise<void> {
    if (this.#ended) return stream.abort(streamErrorNumber(0));
    this.#channels.add(stream);
    const frames = new FrameReader();
    frames.push(rest);
    const streamId = await this.#preamble(stream, frames);
    this.#channels.delete(stream);
    if (streamId === undefined) return;
    this.#arrivals.push(new StreamChannel(streamId, stream, frames, this.#onMalformed));
  }

  /** The peer closed the session, or the connection is gone. */
  lost(): void {
    if (this.#ended) return;
    this.#end();
    this.#connection.close(noError);
  }

  /** Undefined when the stream ended before its preamble or began with anything else. */
  async #preamble(stream: QuicStream, frames: FrameReader): Promise<bigint | undefined> {
    try {
      for (let id = frames.preamble(); ; id = frames.preamble()) {
        if (id !== null) return id;
        const bytes = await stream.read();
        if (bytes === null) throw new CarrierError('malformed');
        frames.push(bytes);
      }
    } catch {
      this.#onMalformed();
      stream.abort(streamErrorNumber(0));
      return undefined;
    }
  }

  #end(): void {
    this.#ended = true;
    this.#arrivals.end();
    this.#settleClosed();
    // Streams that were still being introduced have no channel whose owner would drop them.
    for (const stream of this.#channels) stream.abort(streamErrorNumber(0));
  }
}
