/** A UDP socket for QUIC: bound, with large buffers where the system allows, and no name look-up on the way out. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { transportLimits } from '../limits.ts';
import type { Address } from './quic-connection.ts';

export class UdpSocket {
  readonly #socket: Socket;
  #open = true;
  /** Datagrams the system would not send. QUIC sees them as lost. */
  unsent = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {
      this.unsent += 1;
    });
  }

  /** Rejects with the system's error when the address is taken. `host` is an IP literal; `::` takes both families. */
  static async bind(
    { host, port }: Address,
    onDatagram: (bytes: Uint8Array, from: Address) => void,
  ): Promise<UdpSocket> {
    const socket = createSocket({
      type: isIPv6(host) ? 'udp6' : 'udp4',
      // Every destination is an address already. Node's look-up would put each packet off to a later tick.
      lookup: (address, _options, done) => done(null, address, address.includes(':') ? 6 : 4),
    });
    // The listener comes before the socket is bound: not even the first datagram is missed.
    socket.on('message', (bytes, from) => onDatagram(bytes, { host: from.address, port: from.port }));
    // Without a look-up, "listening" can come within bind().
    const listening = once(socket, 'listening');
    socket.bind(port, host);
    await listening;
    enlargeBuffers(socket);
    return new UdpSocket(socket);
  }

  get address(): Address {
    const { address, port } = this.#socket.address();
    return { host: address, port };
  }

  send(packet: Uint8Array, to: Address): void {
    if (this.#open) this.#socket.send(packet, to.port, to.host);
  }

  close(): Promise<void> {
    if (!this.#open) return Promise.resolve();
    this.#open = false;
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}

function enlargeBuffers(socket: Socket): void {
  try {
    socket.setRecvBufferSize(transportLimits.socketBufferBytes);
    socket.setSendBufferSize(transportLimits.socketBufferBytes);
  } catch {
    // The system's own sizes do too, with more loss in bursts.
  }
}
