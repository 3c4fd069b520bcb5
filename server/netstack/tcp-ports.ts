/**
 * The TCP side of a stack: its connections and listeners by their ports, which of them a segment is for, and what a
 * segment gets that is for none (RFC 9293 section 3.10.7). udp-ports.ts is the same for UDP.
 */
import type { Clock } from '../../protocol/clock.ts';
import { copyBytes } from './address.ts';
import { segmentArrives } from './arrival.ts';
import { Connection, type ConnectionHost } from './connection.ts';
import { ConnectionTable } from './connection-table.ts';
import { Cubic } from './cubic.ts';
import { pickPort } from './ephemeral-ports.ts';
import { NetworkError } from './errors.ts';
import { Flow } from './flow.ts';
import type { IcmpError } from './icmp.ts';
import { icmpErrorArrives } from './icmp-reaction.ts';
import { seedFor } from './initial-sequence.ts';
import type { DropReason, IpView } from './ip-packet.ts';
import { MAX_CONNECTIONS, MAX_TIME_WAIT } from './limits.ts';
import { Listener } from './listener.ts';
import { ListenerTable } from './listener-table.ts';
import { after } from './sequence.ts';
import type { TcpSocket, TcpSocketOptions } from './socket.ts';
import { ACK, parseTcp, RST, resetFor, Segment, SYN } from './tcp-header.ts';
import { read32 } from './tcp-options.ts';
import type { TurnEnd } from './turn.ts';

/** What the TCP side needs of its stack. */
export interface TcpHost {
  readonly clock: Clock;
  readonly mtu: number;
  readonly bufferSize: number;
  readonly random: (length: number) => Uint8Array;
  readonly turn: TurnEnd;
  /** Queues a packet; it leaves at the next {@link flush}. */
  transmit(packet: Uint8Array): void;
  flush(): void;
}

export class TcpPorts implements ConnectionHost {
  readonly clock: Clock;
  readonly mtu: number;
  readonly bufferSize: number;
  readonly #host: TcpHost;
  readonly #secret: Uint8Array;
  readonly #table: ConnectionTable;
  readonly #listeners = new ListenerTable();
  /** Oldest first. */
  readonly #timeWait = new Set<Connection>();
  readonly #segment = new Segment();

  constructor(host: TcpHost) {
    this.#host = host;
    this.clock = host.clock;
    this.mtu = host.mtu;
    this.bufferSize = host.bufferSize;
    this.#secret = host.random(32);
    this.#table = new ConnectionTable(read32(host.random(4), 0));
  }

  // What the application asks.

  /** A connection that has not sent anything yet. @throws NetworkError ENOBUFS, EADDRNOTAVAIL */
  open(local: Uint8Array, remote: Uint8Array, remotePort: number): Connection {
    if (this.#isFull) throw new NetworkError('ENOBUFS', 'connect');
    const localPort = pickPort(
      read32(this.#host.random(4), 0),
      (port) => this.#listeners.hasPort(port) || this.#table.has(local, port, remote, remotePort),
    );
    if (localPort === null) throw new NetworkError('EADDRNOTAVAIL', 'connect');
    const nobody = { established: () => {}, readable: () => {}, writable: () => {}, closed: () => {} };
    return this.#open(new Flow(local, localPort, remote, remotePort), nobody, false);
  }

  /** @param host null for every address. @throws NetworkError EADDRINUSE */
  listen(
    host: Uint8Array | null,
    port: number,
    options: TcpSocketOptions,
    onSocket: (socket: TcpSocket) => void,
  ): { close(): void } {
    const listener = new Listener(host, port, this.clock, options, onSocket);
    if (!this.#listeners.add(listener)) throw new NetworkError('EADDRINUSE', 'listen');
    return { close: () => this.#closeListener(listener) };
  }

  /** Resets every connection. */
  close(): void {
    for (const listener of this.#listeners.all()) this.#closeListener(listener);
    for (const connection of this.#table.all()) connection.abort(new NetworkError('ECONNABORTED', 'read'));
  }

  stats(): { connections: number; timeWait: number; listeners: number; bufferedBytes: number } {
    const connections = this.#table.all();
    return {
      connections: connections.length - this.#timeWait.size,
      timeWait: this.#timeWait.size,
      listeners: this.#listeners.all().length,
      bufferedBytes: connections.reduce((sum, { send, receive }) => sum + send.buffer.capacity + receive.memory, 0),
    };
  }

  // Packets.

  /** Takes a hostile packet. */
  receive(bytes: Uint8Array, ip: IpView): DropReason | null {
    const segment = this.#segment;
    const malformed = parseTcp(bytes, ip, segment);
    if (malformed !== null) return malformed;
    const { destinationPort, sourcePort } = segment;
    const { destinationAt, sourceAt, addressLength } = ip;
    const connection = this.#table.find(bytes, destinationAt, destinationPort, sourceAt, sourcePort, addressLength);
    if (connection !== null && !this.#replaces(segment, connection)) {
      return segmentArrives(connection, segment) ? null : 'unacceptable';
    }
    return this.#receiveStranger(segment, flowOf(bytes, ip, segment));
  }

  /** An ICMP error about a segment that may have been ours. */
  errorArrives(error: IcmpError): DropReason | null {
    const n = error.local.length;
    const pair = new Uint8Array([...error.local, ...error.remote]);
    const connection = this.#table.find(pair, 0, error.localPort, n, error.remotePort, n);
    if (connection === null) return 'no-connection';
    return icmpErrorArrives(connection, error) ? null : 'unacceptable';
  }

  /** RFC 6191: a newer SYN may end TIME-WAIT, so that a busy pair of ports need not rest a minute. */
  #replaces(segment: Segment, connection: Connection): boolean {
    if (connection.state !== 'time-wait' || !segment.has(SYN) || segment.has(ACK) || segment.has(RST)) return false;
    if (!connection.timestamps.isNewer(segment) && !after(segment.seq, connection.receive.nxt)) return false;
    connection.release(null);
    return true;
  }

  /** CLOSED and LISTEN (RFC 9293 sections 3.10.7.1 and 3.10.7.2). */
  #receiveStranger(segment: Segment, flow: Flow): DropReason | null {
    const listener = this.#listeners.find(flow);
    if (listener !== null && segment.has(SYN) && !segment.has(ACK) && !segment.has(RST)) {
      return this.#receiveSyn(segment, flow, listener);
    }
    if (listener !== null && !segment.has(ACK)) return 'unacceptable';
    const reset = resetFor(segment, flow);
    if (reset !== null) this.transmit(reset);
    return 'no-connection';
  }

  #receiveSyn(segment: Segment, flow: Flow, listener: Listener): DropReason | null {
    if (!listener.hasRoom || this.#isFull) return 'overload';
    const user = listener.userFor(() => connection);
    const connection = this.#open(flow, user, true);
    listener.track(connection);
    connection.openPassive(segment);
    return null;
  }

  // ConnectionHost.

  transmit(packet: Uint8Array): void {
    this.#host.transmit(packet);
  }

  flush(): void {
    this.#host.flush();
  }

  acknowledgeSoon(connection: Connection): void {
    this.#host.turn.acknowledge(connection);
  }

  waiting(connection: Connection): void {
    this.#timeWait.add(connection);
    if (this.#timeWait.size <= MAX_TIME_WAIT) return;
    for (const oldest of this.#timeWait) {
      oldest.release(null);
      return;
    }
  }

  released(connection: Connection): void {
    this.#table.remove(connection);
    this.#timeWait.delete(connection);
  }

  // Inside.

  get #isFull(): boolean {
    return this.#table.size - this.#timeWait.size >= MAX_CONNECTIONS;
  }

  #open(flow: Flow, user: Connection['user'] & object, passive: boolean): Connection {
    const seed = seedFor(flow, this.#secret, this.clock.monotonic());
    const connection = new Connection(this, flow, seed, new Cubic(this.bufferSize), user, passive);
    this.#table.add(connection);
    return connection;
  }

  #closeListener(listener: Listener): void {
    this.#listeners.remove(listener);
    listener.close();
  }
}

function flowOf(bytes: Uint8Array, ip: IpView, segment: Segment): Flow {
  const n = ip.addressLength;
  const local = copyBytes(bytes, ip.destinationAt, ip.destinationAt + n);
  const remote = copyBytes(bytes, ip.sourceAt, ip.sourceAt + n);
  return new Flow(local, segment.destinationPort, remote, segment.sourcePort);
}
