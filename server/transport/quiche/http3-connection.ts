/**
 * The server's half of HTTP/3 on one QUIC connection, as far as one WebTransport session needs it: SETTINGS, the peer's
 * control and QPACK streams, one extended CONNECT (RFC 9220), and the streams that name its session. Not an HTTP server:
 * every other request is answered with a status and nothing else.
 */
import { CarrierError } from '../../../protocol/carrier.ts';
import { transportLimits } from '../limits.ts';
import type { CarrierPeer, TransportCounters } from '../session.ts';
import { ByteSource } from './byte-source.ts';
import { judgeConnect } from './connect-request.ts';
import { drainControlStream, drainDecoderStream, drainEncoderStream } from './control-streams.ts';
import { Http3Error, http3ErrorNumber } from './error.ts';
import {
  capsuleType,
  frame,
  frameType,
  reservedFrameTypes,
  setting,
  settingsPayload,
  streamType,
  webtransportStream,
} from './http3.ts';
import { decodeFieldSection, encodeFieldSection, type FieldLine } from './qpack.ts';
import type { QuicConnection } from './quic-connection.ts';
import type { QuicStream } from './quic-stream.ts';
import { encodeVarint } from './varint.ts';
import { WebTransportCarrier } from './webtransport-carrier.ts';

const ourSettings = settingsPayload([
  [setting.maxFieldSectionSize, transportLimits.fieldSectionBytes],
  [setting.enableConnectProtocol, 1],
  [setting.h3Datagram, 1],
  [setting.h3DatagramDraft04, 1],
  [setting.enableWebtransport, 1],
  [setting.webtransportMaxSessions, 1],
]);

export interface Http3Options {
  /** Origins that may open a tunnel, compared byte for byte. */
  readonly origins: readonly string[];
  readonly counters: TransportCounters;
  readonly onCarrier: (carrier: WebTransportCarrier, peer: CarrierPeer) => void;
  /** It has its session, or it is gone. */
  readonly onSettled: () => void;
}

/** A stream whose session is not there (yet). */
interface EarlyStream {
  readonly stream: QuicStream;
  readonly sessionId: number;
  readonly source: ByteSource;
}

export class Http3Connection {
  readonly #connection: QuicConnection;
  readonly #options: Http3Options;
  readonly #critical = new Set<number>();
  readonly #early: EarlyStream[] = [];
  #carrier: WebTransportCarrier | undefined;
  readonly #deadline: NodeJS.Timeout;

  /** Takes the connection's events; to be made when the connection begins. */
  constructor(connection: QuicConnection, options: Http3Options) {
    this.#connection = connection;
    this.#options = options;
    this.#deadline = setTimeout(() => this.close(), transportLimits.sessionDeadlineMs).unref();
    connection.events = {
      onEstablished: () => this.#begin(),
      onStream: (stream) =>
        this.#guard(stream, stream.id & 2 ? this.#unidirectional(stream) : this.#bidirectional(stream)),
      onDatagram: (bytes) => this.#carrier?.datagrams.arrived(bytes),
      onClosed: () => this.#closed(),
    };
  }

  /** No session came of it. */
  close(): void {
    this.#options.counters.malformed += 1;
    this.#connection.close(http3ErrorNumber.request_incomplete);
  }

  #begin(): void {
    const control = [encodeVarint(streamType.control), frame(frameType.settings, ourSettings)];
    this.#connection.open('uni', Buffer.concat(control));
  }

  #closed(): void {
    clearTimeout(this.#deadline);
    this.#options.onSettled();
    this.#carrier?.lost();
  }

  /** A peer that breaks the rules loses its connection; one that cuts a stream, that stream. Nobody else notices. */
  #guard(stream: QuicStream, work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (error instanceof CarrierError) {
        // Our half has to end as well, or the stream counts against the limit for ever.
        stream.abort(http3ErrorNumber.no_error);
        return;
      }
      this.#options.counters.malformed += 1;
      this.#connection.close(error instanceof Http3Error ? http3ErrorNumber[error.code] : http3ErrorNumber.internal);
    });
  }

  async #unidirectional(stream: QuicStream): Promise<void> {
    const source = new ByteSource(() => stream.read());
    const type = await source.varint();
    switch (type) {
      case streamType.control:
        return this.#onlyOnce(type, () => drainControlStream(source));
      case streamType.qpackEncoder:
        return this.#onlyOnce(type, () => drainEncoderStream(source));
      case streamType.qpackDecoder:
        return this.#onlyOnce(type, () => drainDecoderStream(source));
      case streamType.push:
        throw new Http3Error('stream_creation');
      default:
        // Unknown kinds are to be tolerated; the tunnel has no unidirectional streams.
        stream.stopReading(http3ErrorNumber.stream_creation);
    }
  }

  #onlyOnce(type: number, drain: () => Promise<never>): Promise<never> {
    if (this.#critical.has(type)) throw new Http3Error('stream_creation');
    this.#critical.add(type);
    return drain();
  }

  async #bidirectional(stream: QuicStream): Promise<void> {
    const source = new ByteSource(() => stream.read());
    const type = await source.varint();
    if (type === webtransportStream) return this.#sessionStream(stream, await source.varint(), source);
    return this.#request(stream, source, type);
  }

  async #sessionStream(stream: QuicStream, sessionId: number, source: ByteSource): Promise<void> {
    if (this.#carrier !== undefined && this.#carrier.sessionId === sessionId) {
      return this.#carrier.adopt(stream, source.rest());
    }
    if (this.#carrier === undefined && this.#early.length < transportLimits.earlyStreams) {
      this.#early.push({ stream, sessionId, source });
      return;
    }
    this.#options.counters.malformed += 1;
    stream.abort(http3ErrorNumber.buffered_stream_rejected);
  }

  async #request(stream: QuicStream, source: ByteSource, firstType: number): Promise<void> {
    const fields = await this.#header(source, firstType);
    const verdict = judgeConnect(fields, this.#options.origins);
    if (verdict.status !== '200' || this.#carrier !== undefined) {
      return this.#refuse(stream, verdict.status === '200' ? '429' : verdict.status);
    }
    const { host } = this.#connection.peer;
    const carrier = this.#accept(stream);
    this.#options.onCarrier(carrier, { address: host, origin: verdict.origin, transport: 'webtransport' });
    await this.#readCapsules(source).finally(() => carrier.lost());
  }

  /** The request's header section: its first known frame. */
  async #header(source: ByteSource, firstType: number): Promise<FieldLine[]> {
    for (let type = firstType; ; type = await source.varint()) {
      const length = await source.varint();
      if (type === frameType.headers) {
        if (length > transportLimits.fieldSectionBytes) throw new Http3Error('excessive_load');
        return decodeFieldSection(await source.take(length), transportLimits.fieldLines);
      }
      if (reservedFrameTypes.has(type) || Object.values<number>(frameType).includes(type)) {
        throw new Http3Error('frame_unexpected');
      }
      await source.skip(length);
    }
  }

  #refuse(stream: QuicStream, status: string): void {
    this.#options.counters.refused += 1;
    this.#respond(stream, [[':status', status]]);
    stream.finish();
    stream.stopReading(http3ErrorNumber.no_error);
  }

  #accept(request: QuicStream): WebTransportCarrier {
    clearTimeout(this.#deadline);
    this.#options.onSettled();
    this.#options.counters.accepted += 1;
    this.#respond(request, [
      [':status', '200'],
      ['sec-webtransport-http3-draft', 'draft02'],
    ]);
    const carrier = new WebTransportCarrier(this.#connection, request, () => {
      this.#options.counters.malformed += 1;
    });
    this.#carrier = carrier;
    for (const { stream, sessionId, source } of this.#early.splice(0)) {
      this.#guard(stream, this.#sessionStream(stream, sessionId, source));
    }
    return carrier;
  }

  #respond(stream: QuicStream, fields: FieldLine[]): void {
    const response = frame(frameType.headers, encodeFieldSection(fields));
    // A response that cannot be written is for a peer that has gone.
    stream.write(response).catch(() => undefined);
  }

  /** Follows the CONNECT stream until the peer closes the session: by its capsule, or by ending the stream. */
  async #readCapsules(request: ByteSource): Promise<void> {
    const capsules = new ByteSource(dataReader(request));
    while (!(await capsules.atEnd())) {
      const type = await capsules.varint();
      const length = await capsules.varint();
      if (type === capsuleType.closeSession) {
        if (length > transportLimits.closeCapsuleBytes) throw new Http3Error('message_error');
        return;
      }
      await capsules.skip(length);
    }
  }
}

/** The DATA frames of a stream as one run of bytes. */
function dataReader(request: ByteSource): () => Promise<Uint8Array | null> {
  let left = 0;
  return async () => {
    while (left === 0) {
      if (await request.atEnd()) return null;
      const type = await request.varint();
      const length = await request.varint();
      if (type === frameType.data) left = length;
      else if (reservedFrameTypes.has(type) || type === frameType.settings) throw new Http3Error('frame_unexpected');
      else await request.skip(length);
    }
    const bytes = await request.some(left);
    if (bytes === null) throw new Http3Error('frame_error');
    left -= bytes.length;
    return bytes;
  };
}
