/**
 * TCP and UDP by the system's own sockets, bound to the gateway's address on one interface. Binding chooses the source
 * address and not the way out: that nothing with this source leaves by another way is the guard's business (guard.ts), and
 * without it nothing is opened here.
 */
import { createSocket, type Socket as UdpSystemSocket } from 'node:dgram';
import { connect, isIPv6, type Socket } from 'node:net';
import { DatagramEnd } from '../../netstack/datagram-end.ts';
import { NetworkError } from '../../netstack/errors.ts';
import type { InnerConnectOptions, InnerNetwork, InnerTarget, UdpFlow } from '../peer-binding.ts';

/** Datagrams that wait for a socket to be ready, which takes a turn of the loop or two. */
const maxWaiting = 64;

export interface SystemNetworkOptions {
  /** The gateway's addresses on the interface, IP literals. */
  readonly addresses: readonly string[];
  /** Whether a socket may be bound to this one now. */
  readonly mayUse: (address: string) => boolean;
}

export class SystemNetwork implements InnerNetwork<Socket> {
  readonly #options: SystemNetworkOptions;

  constructor(options: SystemNetworkOptions) {
    this.#options = options;
  }

  /** @throws NetworkError EHOSTUNREACH while the way is not safe; the signal's reason; otherwise what node:net says. */
  async connect({ host, port, signal, allowHalfOpen = false }: InnerConnectOptions): Promise<Socket> {
    signal?.throwIfAborted();
    const localAddress = this.#addressFor(host);
    const socket = connect({ host, port, localAddress, allowHalfOpen, autoSelectFamily: false, noDelay: true });
    const abort = () => socket.destroy(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve).once('error', reject);
        socket.once('close', () => reject(new NetworkError('ECONNABORTED', 'connect')));
      });
      return socket;
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** @throws NetworkError EHOSTUNREACH while the way is not safe. */
  openUdp({ host, port }: InnerTarget): UdpFlow {
    return new SystemUdpFlow(this.#addressFor(host), { host, port });
  }

  #addressFor(host: string): string {
    const local = this.#options.addresses.find((address) => isIPv6(address) === isIPv6(host));
    if (local === undefined || !this.#options.mayUse(local)) throw new NetworkError('EHOSTUNREACH', 'connect');
    return local;
  }
}

class SystemUdpFlow extends DatagramEnd implements UdpFlow {
  readonly #socket: UdpSystemSocket;
  #waiting: Uint8Array[] | undefined = [];

  constructor(address: string, to: InnerTarget) {
    super();
    // A literal needs no resolver.
    const family = isIPv6(address) ? 6 : 4;
    const socket = createSocket({ type: `udp${family}`, lookup: (name, _options, done) => done(null, name, family) });
    this.#socket = socket;
    socket.once('close', this.settle);
    // The system tells of ICMP errors so, to a socket that speaks to one peer.
    socket.on('error', ({ code }: NodeJS.ErrnoException) => this.#failed(code));
    socket.on('message', (datagram, { address: from, port }) =>
      this.onDatagram?.(datagram, { address: Buffer.from(from), port }),
    );
    socket.bind({ address, port: 0 }, () => this.isClosed || socket.connect(to.port, to.host, () => this.#ready()));
  }

  /** @returns false when it is dropped: closed, or too much waits */
  send(datagram: Uint8Array): boolean {
    if (this.isClosed) return false;
    // What cannot be sent is lost, as datagrams are; the system says so by an 'error' or not at all.
    if (this.#waiting === undefined) this.#socket.send(datagram, () => undefined);
    else if (this.#waiting.length >= maxWaiting) return false;
    else this.#waiting.push(datagram);
    return true;
  }

  protected override release(): void {
    this.#socket.close();
  }

  #failed(code: string | undefined): void {
    if (code === 'ECONNREFUSED' || code === 'EHOSTUNREACH') this.onUnreachable?.(code);
    else this.close();
  }

  #ready(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const datagram of waiting) this.send(datagram);
  }
}
