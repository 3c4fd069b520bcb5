/**
 * The quinn engine: `@moq/web-transport`, a native module that speaks QUIC, HTTP/3 and WebTransport by itself. It hides who
 * asks, so a ticket in the path stands in for the Origin header, and it has no door of its own: what it cannot do is in
 * docs/decisions/0006-two-quic-engines.md.
 */
import { randomBytes } from 'node:crypto';
import { equal } from '../../../protocol/bytes.ts';
import type { Clock } from '../../../protocol/clock.ts';
import { TicketGate } from '../../channel/tickets.ts';
import { type CertificateSource, Certificates, type OpenCertificates } from '../certificates.ts';
import { transportLimits } from '../limits.ts';
import { newCounters, type OnCarrier, type TransportServer, tunnelPath } from '../session.ts';
import type { NativeRequest, QuinnModule } from './native.ts';
import { QuinnCarrier } from './quinn-carrier.ts';
import { QuinnListener } from './quinn-listener.ts';

export interface QuinnOptions {
  readonly native: QuinnModule;
  /** For the certificate's life and the tickets'. */
  readonly clock: Clock;
  /** Instead of certificates of our own making. */
  readonly certificates?: OpenCertificates | undefined;
}

export class QuinnTransport implements TransportServer {
  readonly engine = 'quinn';
  readonly counters = newCounters();
  readonly ticketKey: Uint8Array = randomBytes(32);
  onCarrier: OnCarrier | undefined;
  onCertHashes: (() => void) | undefined;
  readonly #options: QuinnOptions;
  readonly #tickets: TicketGate;
  readonly #carriers = new Set<QuinnCarrier>();
  #certificates: CertificateSource | undefined;
  #listener: QuinnListener | undefined;
  #served: Uint8Array | undefined;
  #address = { host: '127.0.0.1', port: 0 };
  #closing = false;

  constructor(options: QuinnOptions) {
    this.#options = options;
    this.#tickets = new TicketGate(this.ticketKey, () => options.clock.now());
  }

  async listen(address: { host: string; port: number }): Promise<{ port: number }> {
    if (this.#certificates !== undefined) throw new TypeError('the transport listens already');
    const { clock, certificates = (onChange) => Certificates.start(clock, onChange) } = this.#options;
    this.#certificates = await certificates(() => this.#certificatesChanged());
    try {
      this.#address = await this.#bind(address);
    } catch (error) {
      this.#certificates.close();
      throw error;
    }
    return { port: this.#address.port };
  }

  certHashes(): Uint8Array[] {
    if (this.#certificates === undefined) throw new TypeError('the transport does not listen yet');
    return this.#certificates.hashes;
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#certificates?.close();
    await this.#unbind();
  }

  async #bind({ host, port }: { host: string; port: number }): Promise<{ host: string; port: number }> {
    const certificate = this.#certificates!.current;
    this.#listener = await QuinnListener.bind(this.#options.native, host, port, certificate, (request) => {
      this.#judge(request).catch(() => {
        // The peer left before its answer, or the library could not read what it asked.
        this.counters.malformed += 1;
      });
    });
    this.#served = certificate.hash;
    return { host, port: this.#listener.port };
  }

  async #unbind(): Promise<void> {
    for (const carrier of this.#carriers) carrier.close();
    await Promise.all([...this.#carriers].map((carrier) => carrier.gone));
    await this.#listener?.close();
    this.#listener = undefined;
  }

  /** The library serves the certificate that it was bound with: another one takes its sessions, which come again. */
  #certificatesChanged(): void {
    this.#rebind().then(
      () => this.onCertHashes?.(),
      // Nobody listens any more; the next change tries again.
      () => this.onCertHashes?.(),
    );
  }

  async #rebind(): Promise<void> {
    if (this.#closing || (this.#served !== undefined && equal(this.#served, this.#certificates!.current.hash))) return;
    await this.#unbind();
    if (!this.#closing) await this.#bind(this.#address);
  }

  async #judge(request: NativeRequest): Promise<void> {
    const refusal = (status: number) => {
      this.counters.refused += 1;
      return request.reject(status);
    };
    const full = this.#carriers.size >= transportLimits.connections;
    if (full || this.#closing || this.onCarrier === undefined) return refusal(503);
    const ticket = ticketOf(await request.url);
    if (ticket === undefined) return refusal(404);
    const asked = this.#tickets.spend(ticket);
    if (asked === undefined) return refusal(403);
    const session = await request.ok();
    this.counters.accepted += 1;
    const carrier = new QuinnCarrier(session, () => {
      this.counters.malformed += 1;
    });
    this.#carriers.add(carrier);
    void carrier.gone.then(() => this.#carriers.delete(carrier));
    if (this.#closing) carrier.close();
    else this.onCarrier?.(carrier, { address: asked.address, origin: undefined, transport: 'webtransport' });
  }
}

/** What stands behind `/tunnel/` in a URL that has nothing else. */
function ticketOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { pathname, search, hash } = new URL(url);
  if (search !== '' || hash !== '' || !pathname.startsWith(`${tunnelPath}/`)) return undefined;
  return pathname.slice(tunnelPath.length + 1);
}
