/** A passive open (RFC 9293 LISTEN): which SYNs it takes, and how their connections reach the application. */
import type { Clock } from '../../protocol/clock.ts';
import type { Connection, ConnectionUser } from './connection.ts';
import { MAX_BACKLOG } from './limits.ts';
import { TcpSocket, type TcpSocketOptions } from './socket.ts';

export class Listener {
  /** null for every address of the stack. */
  readonly host: Uint8Array | null;
  readonly port: number;
  readonly #clock: Clock;
  readonly #onSocket: (socket: TcpSocket) => void;
  readonly #options: TcpSocketOptions;
  readonly #halfOpen = new Set<Connection>();
  #open = true;

  constructor(
    host: Uint8Array | null,
    port: number,
    clock: Clock,
    options: TcpSocketOptions,
    onSocket: (socket: TcpSocket) => void,
  ) {
    this.host = host;
    this.port = port;
    this.#clock = clock;
    this.#options = options;
    this.#onSocket = onSocket;
  }

  /** Whether another half-open connection is allowed; the sender of a refused SYN tries again by itself. */
  get hasRoom(): boolean {
    return this.#halfOpen.size < MAX_BACKLOG;
  }

  /** Watches a connection until its handshake is done. `connection` is known only once it exists. */
  userFor(connection: () => Connection): ConnectionUser {
    return {
      established: () => this.#accept(connection()),
      readable: () => {},
      writable: () => {},
      closed: () => this.#halfOpen.delete(connection()),
    };
  }

  track(connection: Connection): void {
    this.#halfOpen.add(connection);
  }

  close(): void {
    this.#open = false;
    for (const connection of [...this.#halfOpen]) connection.abort(null);
  }

  #accept(connection: Connection): void {
    this.#halfOpen.delete(connection);
    const socket = new TcpSocket(connection, this.#clock, this.#options);
    // The application does not run inside of packet processing.
    process.nextTick(() => {
      if (this.#open) this.#onSocket(socket);
      else socket.destroy();
    });
  }
}
