/**
 * A TCP/IP host in user space: packets in, packets out, sockets in between. It has addresses but no interface,
 * routes nothing, and answers nothing that is not addressed to it. It trusts no packet: a WireGuard peer behind it
 * is authenticated, not honest.
 *
 * Packets leave through an outbox (outbox.ts) when the work at hand is done, so `output` may call `input` at once.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../protocol/clock.ts';
import { isUnicast, parseAddress, sameBytes } from './address.ts';
import type { Connection } from './connection.ts';
import { NetworkError } from './errors.ts';
import { Fragments } from './fragments.ts';
import { type IcmpError, receiveIcmp } from './icmp.ts';
import { type DropReason, IpView, PROTOCOL } from './ip-packet.ts';
import { DEFAULT_MTU, MAX_BUFFER, MIN_MTU_4, MIN_MTU_6 } from './limits.ts';
import { Outbox } from './outbox.ts';
import { parseIp } from './parse-ip.ts';
import { realClock } from './real-clock.ts';
import { TcpSocket, type TcpSocketOptions } from './socket.ts';
import { noDrops, type StackStats } from './stats.ts';
import { TcpPorts } from './tcp-ports.ts';
import { TimerWheel } from './timer-wheel.ts';
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

export class NetStack {
  readonly mtu: number;
  readonly #clock: Clock;
  readonly #addresses: Uint8Array[];
  readonly #outbox: Outbox;
  readonly #tcp: TcpPorts;
  readonly #udp: UdpPorts;
  readonly #fragments = new Fragments();
  readonly #ip = new IpView();
  readonly #dropped = noDrops();
  #packetsIn = 0;
  #closed = false;

  constructor(options: NetStackOptions) {
    this.#addresses = options.addresses.map(parseAddress);
    this.mtu = options.mtu ?? DEFAULT_MTU;
    const bufferSize = options.bufferSize ?? MAX_BUFFER;
    const smallest = this.#addresses.some((address) => address.length === 16) ? MIN_MTU_6 : MIN_MTU_4;
    if (!(this.mtu >= smallest && this.mtu <= 0xffff)) throw new RangeError(`mtu must be ${smallest} to 65535`);
    if (!(bufferSize >= 4096 && bufferSize <= 2 ** 29)) throw new RangeError('bufferSize must be 4 KiB to 512 MiB');
    const outbox = new Outbox(options.output);
    this.#outbox = outbox;
    this.#clock = new TimerWheel(options.clock ?? realClock);
    const random = options.random ?? randomBytes;
    this.#tcp = new TcpPorts({
      ...{ clock: this.#clock, mtu: this.mtu, bufferSize, random },
      turn: new TurnEnd(options.afterTurn ?? setImmediate),
      transmit: (packet) => outbox.push(packet),
      flush: () => outbox.flush(),
    });
    this.#udp = new UdpPorts({
      ...{ mtu: this.mtu, random },
      send: (packet) => {
        outbox.push(packet);
        outbox.flush();
      },
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
    const socket = new TcpSocket(connection, this.#clock, { allowHalfOpen });
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
    return this.#tcp.listen(host, port, options, onSocket);
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
    this.#tcp.close();
    this.#outbox.flush();
  }

  stats(): StackStats {
    return {
      ...this.#tcp.stats(),
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
    if (ip.isFragment) return this.#receiveFragment(bytes, ip);
    if (ip.protocol === PROTOCOL.tcp) return this.#tcp.receive(bytes, ip);
    if (ip.protocol === PROTOCOL.icmp || ip.protocol === PROTOCOL.icmp6) return this.#receiveIcmp(bytes, ip);
    return ip.protocol === PROTOCOL.udp ? this.#udp.receive(bytes, ip) : 'protocol';
  }

  /** What comes of it is judged as if it had come whole. */
  #receiveFragment(bytes: Uint8Array, ip: IpView): DropReason | null {
    const whole = this.#fragments.take(bytes, ip, this.#clock.monotonic());
    return whole instanceof Uint8Array ? this.#receive(whole) : whole;
  }

  #receiveIcmp(bytes: Uint8Array, ip: IpView): DropReason | null {
    const outcome = receiveIcmp(bytes, ip, this.mtu);
    if (typeof outcome === 'string') return outcome;
    if ('reply' in outcome) this.#outbox.push(outcome.reply);
    else return this.#onIcmpError(outcome.error);
    return null;
  }

  #onIcmpError(error: IcmpError): DropReason | null {
    return error.protocol === PROTOCOL.tcp ? this.#tcp.errorArrives(error) : this.#udp.errorArrives(error);
  }

  // Inside.

  #newConnection(remote: Uint8Array, remotePort: number): Connection {
    if (this.#closed) throw new NetworkError('ECONNABORTED', 'connect');
    const local = this.#localFor(remote);
    if (local === undefined || !this.#isReachable(remote)) throw new NetworkError('EHOSTUNREACH', 'connect');
    return this.#tcp.open(local, remote, remotePort);
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
}

function checkPort(port: number): number {
  if (!Number.isInteger(port) || port < 1 || port > 0xffff) throw new RangeError('port must be 1 to 65535');
  return port;
}
