/**
 * A TCP/IP host in user space: packets in, packets out, sockets in between. It has addresses but no interface,
 * routes nothing, and answers nothing that is not addressed to it. It trusts no packet: a WireGuard peer behind it
 * is authenticated, not honest.
 *
 * Packets leave through an outbox (outbox.ts) when the work at hand is done, so `output` may call `input` at once.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../protocol/clock.ts';
import { copyBytes, isUnicast, parseAddress, sameBytes } from './address.ts';
import { segmentArrives } from './arrival.ts';
import { Connection, type ConnectionHost } from './connection.ts';
import { ConnectionTable } from './connection-table.ts';
import { Cubic } from './cubic.ts';
import { pickPort } from './ephemeral-ports.ts';
import { NetworkError } from './errors.ts';
import { Flow } from './flow.ts';
import { type IcmpError, receiveIcmp } from './icmp.ts';
import { icmpErrorArrives } from './icmp-reaction.ts';
import { seedFor } from './initial-sequence.ts';
import { type DropReason, IpView, PROTOCOL, parseIp } from './ip-packet.ts';
import { DEFAULT_MTU, MAX_BUFFER, MAX_CONNECTIONS, MAX_TIME_WAIT, MIN_MTU_4, MIN_MTU_6 } from './limits.ts';
import { Listener } from './listener.ts';
import { ListenerTable } from './listener-table.ts';
import { Outbox } from './outbox.ts';
import { realClock } from './real-clock.ts';
import { after } from './sequence.ts';
import { TcpSocket, type TcpSocketOptions } from './socket.ts';
import { noDrops, type StackStats } from './stats.ts';
import { ACK, parseTcp, RST, resetFor, Segment, SYN } from './tcp-header.ts';
import { read32 } from './tcp-options.ts';
import { type AfterTurn, TurnEnd } from './turn.ts';
import type { UdpSocket } from './udp.ts';
import { UdpPorts } from './udp-ports.ts';

export interface NetStackOptions {
  /** IP literals this host answers to; the first of each version is the source of its connections. */
  readonly addresses: readonly string[];
  /** Largest packet, 1420 by default; at least 1280 with an IPv6 address, 576 without. */
  readonly mtu?: number;
  /** Takes each packet; it may keep it. A packet that `output` throws on is lost, as on any wire. */
  readonly output: (packet: Uint8Array) => void;
  readonly clock?: Clock;
  /** Unpredictable bytes: the secret of the initial sequence numbers, ports. */
  readonly random?: (length: number) => Uint8Array;
  /** setImmediate by default. */
  readonly afterTurn?: AfterTurn;
  /** Ceiling of each connection's send and receive buffer, 4 MiB by default. */
  readonly bufferSize?: number;
}

export interface ConnectOptions extends TcpSocketOptions {
  /** An IP literal. */
  readonly host: string;
  readonly port: number;
  /** Gives up the attempt; later it has no effect. */
  readonly signal?: AbortSignal | undefined;
}

export interface ListenOptions extends TcpSocketOptions {
  /** One of the stack's addresses; absent for all. */
  readonly host?: string;
  readonly port: number;
}

export class NetStack implements ConnectionHost {
  readonly clock: Clock;
  readonly mtu: number;
  readonly bufferSize: number;
  readonly #addresses: Uint8Array[];
  readonly #outbox: Outbox;
  readonly #random: (length: number) => Uint8Array;
  readonly #secret: Uint8Array;
  readonly #table: ConnectionTable;
  readonly #listeners = new ListenerTable();
  readonly #udp: UdpPorts;
  /** Oldest first. */
  readonly #timeWait = new Set<Connection>();
  readonly #ip = new IpView();
  readonly #segment = new Segment();
  readonly #turn: TurnEnd;
  readonly #dropped = noDrops();
  #packetsIn = 0;
  #closed = false;

  constructor(options: NetStackOptions) {
    this.#addresses = options.addresses.map(parseAddress);
    this.mtu = options.mtu ?? DEFAULT_MTU;
    this.bufferSize = options.bufferSize ?? MAX_BUFFER;
    const smallest = this.#addresses.some((address) => address.length === 16) ? MIN_MTU_6 : MIN_MTU_4;
    if (!(this.mtu >= smallest && this.mtu <= 0xffff)) throw new RangeError(`mtu must be ${smallest} to 65535`);
    if (!(this.bufferSize >= 4096 && this.bufferSize <= 2 ** 29))
      throw new RangeError('bufferSize must be 4 KiB to 512 MiB');
    this.#outbox = new Outbox(options.output);
    this.clock = options.clock ?? realClock;
    this.#turn = new TurnEnd(options.afterTurn ?? setImmediate);
    this.#random = options.random ?? randomBytes;
    this.#secret = this.#random(32);
    this.#table = new ConnectionTable(read32(this.#random(4), 0));
    const send = (packet: Uint8Array): void => {
      this.transmit(packet);
      this.flush();
    };
    this.#udp = new UdpPorts({
      ...{ mtu: this.mtu, send, random: this.#random },
      localFor: (remote) => this.#localFor(remote),
    });
  }

  // What the application asks.

  /**
   * @returns the socket once the peer has answered.
   * @throws NetworkError ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ECONNRESET, ENOBUFS, EADDRNOTAVAIL, ECONNABORTED; the
   * signal's reason when it was aborted; TypeError or RangeError for a host or port that is none.
   */
  async connect(options: ConnectOptions): Promise<TcpSocket> {
    const socket = this.open(options);
    const { promise, resolve, reject } = Promise.withResolvers<TcpSocket>();
    const closed = () => reject(new NetworkError('ECONNABORTED', 'connect'));
    socket.once('error', reject).once('close', closed);
    socket.once('connect', () => resolve(socket));
    try {
      return await promise;
    } finally {
      socket.off('error', reject).off('close', closed);
    }
  }

  /**
   * The same at once, as net.connect does it and http.Agent wants it: the socket is `connecting`, and a failure is
   * its 'error' event.
   * @throws NetworkError for what is known before anything is sent; TypeError, RangeError, or the signal's reason.
   */
  open({ host, port, signal, allowHalfOpen }: ConnectOptions): TcpSocket {
    signal?.throwIfAborted();
    const connection = this.#newConnection(parseAddress(host), checkPort(port));
    const socket = new TcpSocket(connection, this.clock, { allowHalfOpen });
    const abort = () => socket.destroy(signal?.reason);
    const settled = () => signal?.removeEventListener('abort', abort);
    signal?.addEventListener('abort', abort, { once: true });
    socket.once('connect', settled).once('close', settled);
    connection.openActive();
    return socket;
  }

  /**
   * Hands each accepted connection to `onSocket`. Closing the listener leaves those connections alone.
   * @throws NetworkError EADDRINUSE, EADDRNOTAVAIL.
   */
  listen(options: ListenOptions, onSocket: (socket: TcpSocket) => void): { close(): void } {
    const host = options.host === undefined ? null : parseAddress(options.host);
    const port = checkPort(options.port);
    if (host !== null && !this.#isOurs(host, 0, host.length)) throw new NetworkError('EADDRNOTAVAIL', 'listen');
    const listener = new Listener(host, port, this.clock, options, onSocket);
    if (!this.#listeners.add(listener)) throw new NetworkError('EADDRINUSE', 'listen');
    return { close: () => this.#closeListener(listener) };
  }

  /**
   * A UDP socket: with a host it speaks to that port of that host alone, from a port of its own choice; without one it
   * takes what comes to the given port from anybody.
   * @throws NetworkError EADDRINUSE, EADDRNOTAVAIL, EHOSTUNREACH, ENOBUFS; TypeError or RangeError for a host or port that is none.
   */
  openUdp({ host, port }: { readonly host?: string; readonly port: number }): UdpSocket {
    if (this.#closed) throw new NetworkError('ECONNABORTED', 'connect');
    const peer = host === undefined ? undefined : { address: parseAddress(host), port: checkPort(port) };
    if (peer !== undefined && !this.#isReachable(peer.address)) throw new NetworkError('EHOSTUNREACH', 'connect');
    return peer === undefined ? this.#udp.listen(checkPort(port)) : this.#udp.connect(peer);
  }

  /** Resets every connection and refuses further use. */
  close(): void {
    this.#closed = true;
    this.#udp.close();
    for (const listener of this.#listeners.all()) this.#closeListener(listener);
    for (const connection of this.#table.all()) connection.abort(new NetworkError('ECONNABORTED', 'read'));
    this.flush();
  }

  stats(): StackStats {
    const connections = this.#table.all();
    return {
      connections: connections.length - this.#timeWait.size,
      timeWait: this.#timeWait.size,
      listeners: this.#listeners.all().length,
      bufferedBytes: connections.reduce((sum, { send, receive }) => sum + send.buffer.capacity + receive.memory, 0),
      packetsIn: this.#packetsIn,
      packetsOut: this.#outbox.sent,
      dropped: { ...this.#dropped, output: this.#outbox.failed },
    };
  }

  // Packets.

  /** Takes a hostile packet. It never throws and keeps nothing of `packet`. */
  input(packet: Uint8Array): void {
    if (this.#closed) return;
    this.#packetsIn++;
    this.#outbox.hold();
    try {
      const reason = this.#receive(packet);
      if (reason !== null) this.#dropped[reason]++;
    } finally {
      this.#outbox.release();
    }
  }

  #receive(bytes: Uint8Array): DropReason | null {
    const ip = this.#ip;
    const malformed = parseIp(bytes, ip);
    if (malformed !== null) return malformed;
    if (!this.#isOurs(bytes, ip.destinationAt, ip.addressLength)) return 'not-ours';
    if (!isUnicast(bytes, ip.sourceAt, ip.addressLength)) return 'source';
    if (ip.protocol === PROTOCOL.tcp) return this.#receiveTcp(bytes, ip);
    if (ip.protocol === PROTOCOL.icmp || ip.protocol === PROTOCOL.icmp6) return this.#receiveIcmp(bytes, ip);
    return ip.protocol === PROTOCOL.udp ? this.#udp.receive(bytes, ip) : 'protocol';
  }

  #receiveTcp(bytes: Uint8Array, ip: IpView): DropReason | null {
    const segment = this.#segment;
    const malformed = parseTcp(bytes, ip, segment);
    if (malformed !== null) return malformed;
    const { destinationPort, sourcePort } = segment;
    const connection = this.#table.find(
      bytes,
      ip.destinationAt,
      destinationPort,
      ip.sourceAt,
      sourcePort,
      ip.addressLength,
    );
    if (connection !== null && !this.#replaces(segment, connection)) {
      return segmentArrives(connection, segment) ? null : 'unacceptable';
    }
    return this.#receiveStranger(segment, this.#flowOf(bytes, ip, segment));
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

  #receiveIcmp(bytes: Uint8Array, ip: IpView): DropReason | null {
    const outcome = receiveIcmp(bytes, ip, this.mtu);
    if (typeof outcome === 'string') return outcome;
    if ('reply' in outcome) this.transmit(outcome.reply);
    else return this.#onIcmpError(outcome.error);
    return null;
  }

  #onIcmpError(error: IcmpError): DropReason | null {
    const n = error.local.length;
    const pair = new Uint8Array([...error.local, ...error.remote]);
    const connection = this.#table.find(pair, 0, error.localPort, n, error.remotePort, n);
    if (connection === null) return 'no-connection';
    return icmpErrorArrives(connection, error) ? null : 'unacceptable';
  }

  // ConnectionHost.

  transmit(packet: Uint8Array): void {
    this.#outbox.push(packet);
  }

  flush(): void {
    this.#outbox.flush();
  }

  acknowledgeSoon(connection: Connection): void {
    this.#turn.acknowledge(connection);
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

  #newConnection(remote: Uint8Array, remotePort: number): Connection {
    if (this.#closed) throw new NetworkError('ECONNABORTED', 'connect');
    if (this.#isFull) throw new NetworkError('ENOBUFS', 'connect');
    const local = this.#localFor(remote);
    if (local === undefined || !this.#isReachable(remote)) throw new NetworkError('EHOSTUNREACH', 'connect');
    const localPort = pickPort(
      read32(this.#random(4), 0),
      (port) => this.#listeners.hasPort(port) || this.#table.has(local, port, remote, remotePort),
    );
    if (localPort === null) throw new NetworkError('EADDRNOTAVAIL', 'connect');
    const nobody = { established: () => {}, readable: () => {}, writable: () => {}, closed: () => {} };
    return this.#open(new Flow(local, localPort, remote, remotePort), nobody, false);
  }

  #open(flow: Flow, user: Connection['user'] & object, passive: boolean): Connection {
    const seed = seedFor(flow, this.#secret, this.clock.monotonic());
    const connection = new Connection(this, flow, seed, new Cubic(this.bufferSize), user, passive);
    this.#table.add(connection);
    return connection;
  }

  #localFor(remote: Uint8Array): Uint8Array | undefined {
    return this.#addresses.find((address) => address.length === remote.length);
  }

  #isReachable(remote: Uint8Array): boolean {
    const isFar = isUnicast(remote, 0, remote.length) && !this.#isOurs(remote, 0, remote.length);
    return isFar && this.#localFor(remote) !== undefined;
  }

  #isOurs(bytes: Uint8Array, at: number, length: number): boolean {
    for (const address of this.#addresses) {
      if (address.length === length && sameBytes(address, 0, bytes, at, length)) return true;
    }
    return false;
  }

  #flowOf(bytes: Uint8Array, ip: IpView, segment: Segment): Flow {
    const n = ip.addressLength;
    const local = copyBytes(bytes, ip.destinationAt, ip.destinationAt + n);
    const remote = copyBytes(bytes, ip.sourceAt, ip.sourceAt + n);
    return new Flow(local, segment.destinationPort, remote, segment.sourcePort);
  }

  #closeListener(listener: Listener): void {
    this.#listeners.remove(listener);
    listener.close();
  }
}

function checkPort(port: number): number {
  if (!Number.isInteger(port) || port < 1 || port > 0xffff) throw new RangeError('port must be 1 to 65535');
  return port;
}
