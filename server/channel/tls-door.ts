/**
 * The control channel's door for connectors on other machines: TLS with the internal authority's certificates
 * (mutual-tls.ts). Whoever has none yet comes with a token. It opens only where the configuration names a port.
 */
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Clock } from '../../protocol/clock.ts';
import { helloTimeoutMs, maxConnections } from './limits.ts';
import { exporterOf } from './machine-evidence.ts';
import { callerOf, type TlsIdentity, tlsFloor } from './mutual-tls.ts';
import type { Caller } from './server.ts';

export interface TlsDoorOptions {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  /** Asked at the start and every {@link renewMs}. */
  readonly identity: () => Promise<TlsIdentity>;
  readonly renewMs: number;
  readonly accept: (socket: Socket, caller: Caller) => void;
  readonly onFault: (error: unknown) => void;
}

export class TlsDoor {
  readonly port: number;
  readonly #server: Server;
  readonly #options: TlsDoorOptions;
  #cancelRenewal = () => {};

  private constructor(server: Server, options: TlsDoorOptions) {
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
    this.#options = options;
    this.#renewLater();
  }

  /** Resolves when it listens. Rejects with node:net's error when the port cannot be had. */
  static async open(options: TlsDoorOptions): Promise<TlsDoor> {
    const server = createServer({
      ...(await options.identity()),
      ...tlsFloor,
      requestCert: true,
      // Whoever comes with a token has no certificate yet; callerOf says who has one that verifies.
      rejectUnauthorized: false,
      handshakeTimeout: helloTimeoutMs,
    });
    server.maxConnections = maxConnections;
    server.on('secureConnection', (socket: TLSSocket) => {
      const reachedAt = (socket.localAddress ?? '').replace(/^::ffff:/, '');
      options.accept(socket, {
        kind: 'remote',
        spiffeId: callerOf(socket),
        reachedAt,
        exporter: () => exporterOf(socket),
      });
    });
    // A stranger that speaks no TLS, or the wrong one.
    server.on('tlsClientError', () => {});
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port, options.host, resolve);
    });
    return new TlsDoor(server, options);
  }

  /** No new connections; those accepted are their owner's to end. */
  close(): void {
    this.#cancelRenewal();
    this.#server.close();
  }

  #renewLater(): void {
    const { clock, identity, renewMs, onFault } = this.#options;
    this.#cancelRenewal = clock.after(renewMs, () => {
      identity().then((renewed) => this.#server.setSecureContext({ ...renewed, ...tlsFloor }), onFault);
      this.#renewLater();
    });
  }
}
