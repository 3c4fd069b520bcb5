/** The quiche engine: QUIC, HTTP/3 and WebTransport on one UDP port, with its certificate. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../protocol/clock.ts';
import { HalfOpen } from '../../half-open.ts';
import { sourceOf } from '../../source-address.ts';
import { type CertificateSource, Certificates, type OpenCertificates } from '../certificates.ts';
import { transportLimits } from '../limits.ts';
import { newCounters, type OnCarrier, type TransportServer } from '../session.ts';
import { Http3Connection } from './http3-connection.ts';
import { serverConfig } from './quic-config.ts';
import type { QuicConnection } from './quic-connection.ts';
import { QuicEndpoint } from './quic-endpoint.ts';

export interface QuicheOptions {
  /** Origins that may open a tunnel. */
  readonly origins: readonly string[];
  /** For the certificate's life. */
  readonly clock: Clock;
  /** Instead of certificates of our own making. */
  readonly certificates?: OpenCertificates | undefined;
  /** 32 secret bytes that stay the same over restarts: with them, a client of the process before learns at once that it is gone. */
  readonly resetKey?: Uint8Array | undefined;
  /** Connections without a session at one time. */
  readonly maxHalfOpen?: number;
}

export class QuicheTransport implements TransportServer {
  readonly engine = 'quiche';
  /** It reads the origin itself. */
  readonly ticketKey = undefined;
  readonly counters = newCounters();
  onCarrier: OnCarrier | undefined;
  onCertHashes: (() => void) | undefined;
  readonly #options: QuicheOptions;
  readonly #halfOpen: HalfOpen<Http3Connection>;
  #certificates: CertificateSource | undefined;
  #endpoint: QuicEndpoint | undefined;

  constructor(options: QuicheOptions) {
    this.#options = options;
    this.#halfOpen = new HalfOpen(options.maxHalfOpen ?? transportLimits.halfOpenConnections);
  }

  async listen(address: { host: string; port: number }): Promise<{ port: number }> {
    if (this.#endpoint !== undefined) throw new TypeError('the transport listens already');
    const { clock, certificates: open = (onChange) => Certificates.start(clock, onChange) } = this.#options;
    const certificates = await open(() => this.onCertHashes?.());
    const endpoint = new QuicEndpoint({
      config: () => serverConfig(certificates.current),
      onConnection: (connection) => this.#begin(connection),
      onDropped: () => {
        this.counters.dropped += 1;
      },
      resetKey: this.#options.resetKey ?? randomBytes(32),
    });
    this.#certificates = certificates;
    this.#endpoint = endpoint;
    const { port } = await endpoint.listen(address);
    return { port };
  }

  certHashes(): Uint8Array[] {
    if (this.#certificates === undefined) throw new TypeError('the transport does not listen yet');
    return this.#certificates.hashes;
  }

  /** QUIC connections at this moment, with or without a session. */
  get connections(): number {
    return this.#endpoint?.connections ?? 0;
  }

  async close(): Promise<void> {
    this.#certificates?.close();
    await this.#endpoint?.close();
  }

  #begin(connection: QuicConnection): void {
    const source = sourceOf({ address: connection.peer.host });
    const http3 = new Http3Connection(connection, {
      origins: this.#options.origins,
      counters: this.counters,
      onCarrier: (carrier, peer) => this.#arrived(carrier, peer),
      onSettled: () => this.#halfOpen.delete(http3, source),
    });
    this.#halfOpen.add(http3, source);
  }

  #arrived(...[carrier, peer]: Parameters<OnCarrier>): void {
    if (this.onCarrier === undefined) carrier.close();
    else this.onCarrier(carrier, peer);
  }
}
