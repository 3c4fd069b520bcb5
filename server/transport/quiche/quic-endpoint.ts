/**
 * The server's UDP socket and its connections, told apart by the connection id we gave them. Whatever is not a packet of a
 * live connection, or the first of a new one from a proved address, is counted and dropped.
 */
import { randomBytes } from 'node:crypto';
import quiche from '@matrixai/quic/native/quiche.js';
import type { Config, Header } from '@matrixai/quic/native/types.js';
import { transportLimits } from '../limits.ts';
import { type Address, QuicConnection } from './quic-connection.ts';
import { RetryTokens } from './retry-token.ts';
import { StatelessReset } from './stateless-reset.ts';
import { UdpSocket } from './udp-socket.ts';

/** RFC 9000, section 14.1: a first packet comes in a datagram of at least this size, so that we never amplify. */
const minimumInitialBytes = 1_200;
/** Short ids leave room: quiche has 128 bytes for its transport parameters, our id is in them twice and the client's may take 20. */
export const connectionIdBytes = 8;
// quiche's enum of packet types, by value.
const initialPacket = 0;

interface EndpointOptions {
  /** Made anew for each connection. */
  readonly config: () => Config;
  /** A connection begins; its `events` are to be set before this returns. */
  readonly onConnection: (connection: QuicConnection) => void;
  readonly onDropped: () => void;
  /** 32 bytes that stay the same over restarts, so that clients learn of one at once. */
  readonly resetKey: Uint8Array;
}

export class QuicEndpoint {
  readonly #options: EndpointOptions;
  readonly #tokens = new RetryTokens(() => performance.now());
  readonly #reset: StatelessReset;
  readonly #connections = new Map<string, QuicConnection>();
  #socket: UdpSocket | undefined;
  #local: Address = { host: '127.0.0.1', port: 0 };

  constructor(options: EndpointOptions) {
    this.#options = options;
    this.#reset = new StatelessReset(options.resetKey);
  }

  async listen(address: Address): Promise<Address> {
    this.#socket = await UdpSocket.bind(address, (bytes, from) => this.#datagram(bytes, from));
    this.#local = this.#socket.address;
    return this.#local;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Closes every connection with HTTP/3's "no error" and lets the socket go. */
  async close(): Promise<void> {
    for (const connection of [...this.#connections.values()]) connection.close(0x100);
    await this.#socket?.close();
  }

  #datagram(bytes: Uint8Array, from: Address): void {
    const id = destinationId(bytes);
    const known = id === undefined ? undefined : this.#connections.get(keyOf(id));
    if (known?.receive(bytes, from)) return;
    if (known === undefined && this.#first(bytes, from)) return;
    this.#options.onDropped();
    if (known === undefined && id !== undefined && !isLong(bytes)) this.#sayLost(bytes, id, from);
  }

  /** A packet of a connection that is no more. */
  #sayLost(packet: Uint8Array, id: Uint8Array, from: Address): void {
    const answer = this.#reset.answer(packet, id);
    if (answer !== undefined) this.#socket?.send(answer, from);
  }

  /** A datagram of no live connection. False unless it is a good step towards one. */
  #first(bytes: Uint8Array, from: Address): boolean {
    const header = parseHeader(bytes);
    if (header === undefined || bytes.length < minimumInitialBytes) return false;
    if (!quiche.versionIsSupported(header.version)) return this.#negotiate(header, from);
    if (header.ty !== initialPacket) return false;
    if (header.token === undefined || header.token.length === 0) return this.#retry(header, from);
    const firstId = this.#tokens.open(header.token, from, header.dcid);
    if (firstId === undefined || this.#connections.size >= transportLimits.connections) return false;
    return this.#accept(header.dcid, firstId, bytes, from);
  }

  #negotiate(header: Header, from: Address): boolean {
    return this.#answer(from, (out) => quiche.negotiateVersion(header.scid, header.dcid, out));
  }

  #retry(header: Header, from: Address): boolean {
    const ours = randomBytes(connectionIdBytes);
    const token = this.#tokens.mint(from, ours, header.dcid);
    return this.#answer(from, (out) => quiche.retry(header.scid, header.dcid, ours, token, header.version, out));
  }

  #answer(to: Address, write: (out: Uint8Array) => number): boolean {
    const out = Buffer.alloc(transportLimits.udpPayloadBytes);
    try {
      this.#socket?.send(out.subarray(0, write(out)), to);
      return true;
    } catch {
      return false;
    }
  }

  #accept(ours: Uint8Array, theirs: Uint8Array, bytes: Uint8Array, from: Address): boolean {
    const id = keyOf(ours);
    const connection = this.#begin(ours, theirs, from);
    if (connection === undefined) return false;
    this.#connections.set(id, connection);
    this.#options.onConnection(connection);
    const { events } = connection;
    connection.events = {
      onEstablished: () => events?.onEstablished(),
      onStream: (stream) => events?.onStream(stream),
      onDatagram: (bytes) => events?.onDatagram(bytes),
      onClosed: () => {
        this.#connections.delete(id);
        events?.onClosed();
      },
    };
    return connection.receive(bytes, from);
  }

  #begin(ours: Uint8Array, theirs: Uint8Array, peer: Address): QuicConnection | undefined {
    try {
      const config = this.#options.config();
      config.setStatelessResetToken(this.#reset.token(ours));
      const native = quiche.Connection.accept(ours, theirs, this.#local, peer, config);
      const send = (packet: Uint8Array, to: Address) => this.#socket?.send(packet, to);
      return new QuicConnection({ native, local: this.#local, peer, role: 'server', send });
    } catch {
      return undefined;
    }
  }
}

function isLong(bytes: Uint8Array): boolean {
  return (bytes[0]! & 0x80) !== 0;
}

/** The connection id a datagram is for. Ours all have one length, which a short header leaves out. */
function destinationId(bytes: Uint8Array): Uint8Array | undefined {
  const at = isLong(bytes) ? 6 : 1;
  if (bytes.length < at + connectionIdBytes) return undefined;
  if (isLong(bytes) && bytes[5] !== connectionIdBytes) return undefined;
  return bytes.subarray(at, at + connectionIdBytes);
}

function keyOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString('latin1');
}

function parseHeader(bytes: Uint8Array): Header | undefined {
  if (bytes.length === 0 || !isLong(bytes)) return undefined;
  try {
    return quiche.Header.fromSlice(bytes, connectionIdBytes);
  } catch {
    return undefined;
  }
}
