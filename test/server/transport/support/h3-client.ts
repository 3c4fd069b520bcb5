/**
 * A WebTransport client for Node, for the tests: our own client half of HTTP/3 over quiche. It keeps to the rules as far as
 * a test lets it: each step can be done alone, wrongly, or not at all.
 */
import { createHash, randomBytes } from 'node:crypto';
import quiche from '@matrixai/quic/native/quiche.js';
import { Arrivals } from '../../../../protocol/arrivals.ts';
import { type Carrier, type Channel, transportByte } from '../../../../protocol/carrier.ts';
import { encodePreamble, FrameReader } from '../../../../protocol/frames.ts';
import { ByteSource } from '../../../../server/transport/quiche/byte-source.ts';
import { SessionDatagramsOverQuic } from '../../../../server/transport/quiche/datagrams.ts';
import {
  closeSessionCapsule,
  frame,
  frameType,
  joined,
  setting,
  settingsPayload,
  streamHeader,
  streamType,
  webtransportStream,
} from '../../../../server/transport/quiche/http3.ts';
import { decodeFieldSection, encodeFieldSection, type FieldLine } from '../../../../server/transport/quiche/qpack.ts';
import { clientConfig } from '../../../../server/transport/quiche/quic-config.ts';
import { QuicConnection } from '../../../../server/transport/quiche/quic-connection.ts';
import type { QuicStream } from '../../../../server/transport/quiche/quic-stream.ts';
import { StreamChannel } from '../../../../server/transport/quiche/stream-channel.ts';
import { UdpSocket } from '../../../../server/transport/quiche/udp-socket.ts';
import { encodeVarint } from '../../../../server/transport/quiche/varint.ts';

export const clientSettings = settingsPayload([
  [setting.h3Datagram, 1],
  [setting.enableWebtransport, 1],
]);

export interface DialOptions {
  /** The loopback address to come from. */
  readonly from?: string;
  /** Of the CONNECT. */
  readonly path?: string;
  /** Ask for early data, and keep what would allow it the next time. */
  readonly earlyData?: boolean;
  /** A TLS session from an earlier connection. */
  readonly resume?: Uint8Array;
  /** Sees, and may change, each datagram to the server. */
  readonly onSend?: (packet: Uint8Array) => void;
  /** Told of each datagram from the server. */
  readonly onReceive?: () => void;
  /** While it answers true, nothing goes out and nothing comes in. */
  readonly mute?: () => boolean;
}

/** A QUIC connection to the server, with nothing of HTTP/3 said yet. */
export class H3Client {
  readonly connection: QuicConnection;
  readonly established: Promise<void>;
  readonly closed: Promise<void>;
  readonly streams = new Arrivals<QuicStream>();
  onDatagram: ((bytes: Uint8Array) => void) | undefined;
  readonly #socket: UdpSocket;

  private constructor(connection: QuicConnection, socket: UdpSocket) {
    this.connection = connection;
    this.#socket = socket;
    const established = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    this.established = established.promise;
    this.closed = closed.promise;
    connection.events = {
      onEstablished: () => established.resolve(),
      onStream: (stream) => this.streams.push(stream),
      onDatagram: (bytes) => this.onDatagram?.(bytes),
      onClosed: () => {
        this.streams.end();
        established.reject(new Error('the connection was not established'));
        closed.resolve();
      },
    };
    this.established.catch(() => undefined);
  }

  static async dial(port: number, options: DialOptions = {}): Promise<H3Client> {
    let connection: QuicConnection | undefined;
    const muted = () => options.mute?.() ?? false;
    const socket = await UdpSocket.bind({ host: options.from ?? '127.0.0.1', port: 0 }, (bytes, from) => {
      if (muted()) return;
      options.onReceive?.();
      connection?.receive(bytes, from);
    });
    const peer = { host: '127.0.0.1', port };
    const config = clientConfig();
    if (options.earlyData) config.enableEarlyData();
    const native = quiche.Connection.connect('127.0.0.1', randomBytes(20), socket.address, peer, config);
    if (options.resume !== undefined) native.setSession(options.resume);
    const send: ConstructorParameters<typeof QuicConnection>[0]['send'] = (packet, to) => {
      options.onSend?.(packet);
      if (!muted()) socket.send(packet, to);
    };
    connection = new QuicConnection({ native, local: socket.address, peer, role: 'client', send });
    const client = new H3Client(connection, socket);
    connection.flushSoon();
    return client;
  }

  /** SHA-256 of the certificate the server showed. */
  get certificateHash(): Uint8Array {
    const [certificate] = this.connection.native.peerCertChain() ?? [];
    return new Uint8Array(createHash('sha256').update(certificate!).digest());
  }

  /** The number the server closed the connection with, once {@link closed}. */
  get closeCode(): number | undefined {
    return this.connection.native.peerError()?.errorCode;
  }

  openControl(payload: Uint8Array = clientSettings): QuicStream {
    return this.connection.open('uni', joined([encodeVarint(streamType.control), frame(frameType.settings, payload)]));
  }

  /** Sends a request's header section and reads the response's. */
  async request(fields: readonly FieldLine[]): Promise<{ stream: QuicStream; source: ByteSource; status: string }> {
    const stream = this.connection.open('bidi', frame(frameType.headers, encodeFieldSection(fields)));
    const source = new ByteSource(() => stream.read());
    if ((await source.varint()) !== frameType.headers) throw new Error('no header section came');
    const response = decodeFieldSection(await source.take(await source.varint()), 10);
    return { stream, source, status: response.find(([name]) => name === ':status')?.[1] ?? '' };
  }

  async close(): Promise<void> {
    this.connection.close(0x100);
    await this.#socket.close();
  }
}

/** The header section Chromium sends, as far as it matters. */
export function connectFields(origin: string, path = '/tunnel'): FieldLine[] {
  return [
    [':method', 'CONNECT'],
    [':scheme', 'https'],
    [':authority', '127.0.0.1'],
    [':path', path],
    [':protocol', 'webtransport'],
    ['sec-webtransport-http3-draft02', '1'],
    ['origin', origin],
  ];
}

/** Opens a WebTransport session as a Carrier; closing it closes the connection. */
export async function connectQuic(
  port: number,
  origin: string,
  options: DialOptions = {},
): Promise<Carrier & { client: H3Client }> {
  const client = await H3Client.dial(port, options);
  // Where nobody answers the connection ends by itself, but its socket would keep the process.
  await client.established.catch(async (error: unknown) => {
    await client.close();
    throw error;
  });
  client.openControl();
  // quinn ends the connection right behind its answer, which may be lost with it.
  const answer = await client.request(connectFields(origin, options.path)).catch((cause: unknown) => ({ cause }));
  if ('cause' in answer || answer.status !== '200') {
    await client.close();
    throw Object.assign(new Error('refused'), { code: 'refused', status: '', ...answer });
  }
  return new ClientCarrier(client, answer.stream, answer.source);
}

class ClientCarrier implements Carrier {
  readonly transport = transportByte.webtransport;
  readonly client: H3Client;
  readonly closed: Promise<void>;
  readonly datagrams: SessionDatagramsOverQuic;
  readonly #request: QuicStream;
  readonly #arrivals = new Arrivals<Channel>();

  constructor(client: H3Client, request: QuicStream, source: ByteSource) {
    this.client = client;
    this.#request = request;
    this.datagrams = new SessionDatagramsOverQuic(client.connection, request.id);
    client.onDatagram = (bytes) => this.datagrams.arrived(bytes);
    // The request's end is the session's end; what it says before does not matter here.
    const ended = readToEnd(source).catch(() => undefined);
    this.closed = Promise.race([ended, client.closed]).then(async () => {
      this.#arrivals.end();
      await client.close();
    });
    void this.#adoptAll();
  }

  open(streamId: bigint): Channel {
    const header = joined([streamHeader(this.#request.id), encodePreamble(streamId)]);
    return new StreamChannel(streamId, this.client.connection.open('bidi', header), new FrameReader(), () => undefined);
  }

  accept(): Promise<Channel | null> {
    return this.#arrivals.next();
  }

  close(): void {
    this.#request.write(frame(frameType.data, closeSessionCapsule(0))).catch(() => undefined);
    this.#request.finish();
  }

  async #adoptAll(): Promise<void> {
    for (let stream = await this.client.streams.next(); stream !== null; stream = await this.client.streams.next()) {
      if ((stream.id & 2) === 0) void this.#adopt(stream);
    }
  }

  async #adopt(stream: QuicStream): Promise<void> {
    const source = new ByteSource(() => stream.read());
    if ((await source.varint()) !== webtransportStream) throw new Error('not a WebTransport stream');
    await source.varint();
    const frames = new FrameReader();
    frames.push(source.rest());
    for (let id = frames.preamble(); ; id = frames.preamble()) {
      if (id !== null) return this.#arrivals.push(new StreamChannel(id, stream, frames, () => undefined));
      frames.push((await stream.read())!);
    }
  }
}

async function readToEnd(source: ByteSource): Promise<void> {
  while ((await source.some(65_536)) !== null);
}
