/** The UDP sockets of a stack, by their ports. */
import type { UdpPeer } from './datagram-end.ts';
import { pickPort } from './ephemeral-ports.ts';
import { NetworkError } from './errors.ts';
import type { IcmpError } from './icmp.ts';
import type { DropReason, IpView } from './ip-packet.ts';
import { MAX_CONNECTIONS } from './limits.ts';
import { read32 } from './tcp-options.ts';
import { parseUdp, type UdpHost, UdpSocket } from './udp.ts';

export class UdpPorts {
  readonly #host: UdpHost;
  readonly #random: (length: number) => Uint8Array;
  readonly #sockets = new Map<number, UdpSocket>();

  constructor(host: Omit<UdpHost, 'closed'>) {
    this.#random = host.random;
    this.#host = { ...host, closed: (socket) => this.#sockets.delete(socket.localPort) };
  }

  /** @throws NetworkError ENOBUFS, EADDRNOTAVAIL */
  connect(peer: UdpPeer): UdpSocket {
    const port = pickPort(read32(this.#random(4), 0), (one) => this.#sockets.has(one));
    if (port === null) throw new NetworkError('EADDRNOTAVAIL', 'connect');
    return this.#open(port, peer);
  }

  /** @throws NetworkError ENOBUFS, EADDRINUSE */
  listen(port: number): UdpSocket {
    if (this.#sockets.has(port)) throw new NetworkError('EADDRINUSE', 'listen');
    return this.#open(port, undefined);
  }

  /** Takes a hostile packet. */
  receive(bytes: Uint8Array, ip: IpView): DropReason | null {
    const received = parseUdp(bytes, ip);
    if (typeof received === 'string') return received;
    const socket = this.#sockets.get(received.port);
    return socket === undefined ? 'no-connection' : socket.receive(received.datagram, received.from);
  }

  /** An ICMP error about a datagram that may have been ours: its ports and addresses are all that tells. */
  errorArrives(error: IcmpError): DropReason | null {
    const to = { address: error.remote, port: error.remotePort };
    const believed = this.#sockets.get(error.localPort)?.errorArrives(error, to) === true;
    return believed ? null : 'no-connection';
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.close();
  }

  #open(port: number, peer: UdpPeer | undefined): UdpSocket {
    if (this.#sockets.size >= MAX_CONNECTIONS) throw new NetworkError('ENOBUFS', 'connect');
    const socket = new UdpSocket(this.#host, port, peer);
    this.#sockets.set(port, socket);
    return socket;
  }
}
