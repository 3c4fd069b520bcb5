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
import { UdpSocket } from './udp-socket.ts';

/** RFC 9000, section 14.1: a first packet comes in a datagram of at least this size, so that we never amplify. */
const minimumInitialBytes = 1_200;
const connectionIdBytes = 20;
// quiche's enum of packet types, by value.
const initialPacket = 0;

interface EndpointOptions {
  /** Made anew for each connection. */
  readonly config: () => Config;
  /** A connection begins; its `events` are to be set before this returns. */
  readonly onConnection: (connection: QuicConnection) => void;
  readonly onDropped: () => void;
}

export class QuicEndpoint {
  readonly #options: EndpointOptions;
  readonly #tokens = new RetryTokens(() => performance.now());
  readonly #connections = new Map<string, QuicConnection>();
  #socket: UdpSocket | undefined;
  #local: Address = { host: '127.0.0.1', port: 0 };

  constructor(options: EndpointOptions) {
    this.#options = options;
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
    const known = id === undefined ? undefined : this.#connections.get(id);
    const taken = known === undefined ? this.#first(bytes, from) : known.receive(bytes, from);
    if (!taken) this.#options.onDropped();
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
    const id = Buffer.from(ours).toString('latin1');
    const connection = this.#begin(ours, theirs, from);
    if (connection === undefined) return false;
    this.#connections.set(id, connection);
    this.#options.onConnection(connection);
    const { events } = connection;
    connection.events = {
      onEstablished: () => events?.onEstablished(),
      onStream: (stream) => events?.onStream(stream),
      onClosed: () => {
        this.#connections.delete(id);
        events?.onClosed();
      },
    };
    return connection.receive(bytes, from);
  }

  #begin(ours: Uint8Array, theirs: Uint8Array, peer: Address): QuicConnection | undefined {
    try {
      const native = quiche.Connection.accept(ours, theirs, this.#local, peer, this.#options.config());
      const send = (packet: Uint8Array, to: Address) => this.#socket?.send(packet, to);
      return new QuicConnection({ native, local: this.#local, peer, role: 'server', send });
    } catch {
      return undefined;
    }
  }
}

/** The connection id a datagram is for, as a map's key. Ours all have one length, which a short header leaves out. */
function destinationId(bytes: Uint8Array): string | undefined {
  const long = (bytes[0]! & 0x80) !== 0;
  const at = long ? 6 : 1;
  if (bytes.length < at + connectionIdBytes) return undefined;
  if (long && bytes[5] !== connectionIdBytes) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, connectionIdBytes).toString('latin1');
}

function parseHeader(bytes: Uint8Array): Header | undefined {
  if (bytes.length === 0 || (bytes[0]! & 0x80) === 0) return undefined;
  try {
    return quiche.Header.fromSlice(bytes, connectionIdBytes);
  } catch {
    return undefined;
  }
}
