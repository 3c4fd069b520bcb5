/**
 * The {@link Wire} of the real world: one UDP socket for each family on the same port (node:dgram).
 * No names are looked up here: every address is a literal by the time it comes.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { WireGuardError } from './errors.ts';
import { MAX_SOCKET_BACKLOG_BYTES, PORT_ATTEMPTS, SOCKET_BUFFER_BYTES } from './limits.ts';
import type { Endpoint, ListenOptions, Wire, WireEvents } from './wire.ts';

type Family = 4 | 6;

function newSocket(family: Family): Socket {
  return createSocket({
    type: family === 4 ? 'udp4' : 'udp6',
    ipv6Only: family === 6,
    recvBufferSize: SOCKET_BUFFER_BYTES,
    sendBufferSize: SOCKET_BUFFER_BYTES,
    // dgram resolves even a literal through here; asking the resolver would cost a turn of the loop for each datagram.
    lookup: (address, _options, done) => done(null, address, family),
  });
}

async function bind(family: Family, port: number, host: string | undefined): Promise<Socket> {
  const socket = newSocket(family);
  try {
    // Before bind: with a lookup that answers at once, so does the event.
    const listening = once(socket, 'listening');
    socket.bind({ port, address: host ?? (family === 4 ? '0.0.0.0' : '::') });
    await listening;
    return socket;
  } catch (cause) {
    socket.close();
    throw cause;
  }
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && 'code' in cause ? cause.code : undefined;
}

/** A machine without IPv6 says one of these. */
function familyIsMissing(cause: unknown): boolean {
  return codeOf(cause) === 'EAFNOSUPPORT' || codeOf(cause) === 'EADDRNOTAVAIL';
}

export class UdpWire implements Wire {
  #v4: Socket | null = null;
  #v6: Socket | null = null;
  #events: WireEvents | null = null;

  async open(options: ListenOptions, events: WireEvents): Promise<{ port: number }> {
    this.#events = events;
    try {
      await this.#bindAll(options);
    } catch (cause) {
      if (codeOf(cause) !== 'EADDRINUSE') throw cause;
      throw new WireGuardError('port_taken', 'The WireGuard UDP port is in use; choose another.', { cause });
    }
    for (const socket of [this.#v4, this.#v6]) if (socket !== null) this.#attach(socket, events);
    return { port: (this.#v4 ?? this.#v6)!.address().port };
  }

  send(datagram: Uint8Array, to: Endpoint): void {
    const socket = to.address.includes(':') ? this.#v6 : this.#v4;
    if (socket === null) {
      this.#events?.lost('socketFailed');
      return;
    }
    if (socket.getSendQueueSize() > MAX_SOCKET_BACKLOG_BYTES) {
      this.#events?.lost('socketFull');
      return;
    }
    try {
      socket.send(datagram, to.port, to.address, (failure) => {
        if (failure !== null) this.#events?.lost('socketFailed');
      });
    } catch {
      this.#events?.lost('socketFailed'); // a socket that is just closing says so by throwing
    }
  }

  async close(): Promise<void> {
    this.#events = null;
    const open = [this.#v4, this.#v6].filter((socket) => socket !== null);
    this.#v4 = this.#v6 = null;
    await Promise.all(open.map((socket) => new Promise<void>((done) => socket.close(done))));
  }

  async #bindAll({ port, host }: ListenOptions): Promise<void> {
    if (host !== undefined) {
      if (isIPv6(host)) this.#v6 = await bind(6, port, host);
      else this.#v4 = await bind(4, port, host);
      return;
    }
    for (let attempt = 1; ; attempt++) {
      this.#v4 = await bind(4, port, undefined);
      try {
        this.#v6 = await bind(6, this.#v4.address().port, undefined);
        return;
      } catch (cause) {
        if (familyIsMissing(cause)) return;
        this.#v4.close();
        this.#v4 = null;
        // A port that the system chose for IPv4 may be taken in IPv6: let it choose again.
        if (port !== 0 || codeOf(cause) !== 'EADDRINUSE' || attempt === PORT_ATTEMPTS) throw cause;
      }
    }
  }

  #attach(socket: Socket, events: WireEvents): void {
    socket.on('message', (datagram, { address, port }) => events.receive(datagram, { address, port }));
    // An error of an open UDP socket is about one datagram (an ICMP answer); the socket lives on.
    socket.on('error', () => events.lost('socketFailed'));
  }
}
