/**
 * The ways into this gateway: WebTransport on a UDP port of its own where an engine for it loads, and WebSocket upgrades
 * on connections that the supervisor hands over. The process serves no page: whatever is not the tunnel is turned away.
 */
import type { Server } from 'node:http';
import { base64url } from '../../protocol/bytes.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { TunnelEndpoint } from '../channel/messages.ts';
import { type Config, origins } from '../config.ts';
import type { Logger } from '../log.ts';
import { type CertificatePair, isPublic, readPair } from '../tls/certificate-files.ts';
import { CertificateWatch } from '../tls/certificate-watch.ts';
import { Proxies } from '../tls/proxies.ts';
import { newServer } from '../tls/secure-server.ts';
import type { OpenCertificates } from '../transport/certificates.ts';
import { type EngineOptions, loadTransport } from '../transport/engines.ts';
import { type OnCarrier, type TransportServer, tunnelPath } from '../transport/session.ts';
import { refuseUpgrade, WebSocketTransport } from '../transport/websocket.ts';

export interface EndpointsOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onCarrier: OnCarrier;
  /** The certificates of WebTransport changed. */
  readonly onChanged: () => void;
  /** See GatewayIdentity. */
  readonly resetKey: Uint8Array;
}

export class Endpoints {
  /** Takes the supervisor's connections. */
  readonly http: Server;
  readonly #config: Config;
  readonly #webSocket: WebSocketTransport;
  readonly #webTransport: TransportServer | undefined;
  #udpPort: number | undefined;

  private constructor(
    options: EndpointsOptions,
    webSocket: WebSocketTransport,
    webTransport: TransportServer | undefined,
  ) {
    this.#config = options.config;
    this.#webSocket = webSocket;
    this.#webTransport = webTransport;
    this.http = newHttpServer(options, webSocket);
  }

  /** Opens the UDP port. A gateway without an engine, or without the port, serves WebSocket alone and says so. */
  static async open(options: EndpointsOptions): Promise<Endpoints> {
    const { config, clock, log, onCarrier, onChanged, resetKey } = options;
    const proxies = new Proxies(config.trustedProxies);
    const allowed = [origins.shell(config)];
    const webSocket = new WebSocketTransport({
      origins: allowed,
      addressOf: (request) => proxies.callerOf(request).address,
    });
    webSocket.onCarrier = onCarrier;
    const webTransport = await loadEngine(config.webTransport, {
      origins: allowed,
      clock,
      resetKey,
      certificates: ownCertificates(options),
      onUnavailable: (engine, cause) =>
        log.info({ engine, cause: textOf(cause) }, 'a WebTransport engine does not load here'),
    });
    const endpoints = new Endpoints(options, webSocket, webTransport);
    if (webTransport !== undefined) {
      webTransport.onCarrier = onCarrier;
      webTransport.onCertHashes = onChanged;
    }
    await endpoints.#listen(log);
    return endpoints;
  }

  /** As the answer to a launch tells them. */
  list(): TunnelEndpoint[] {
    const shell = new URL(origins.shell(this.#config));
    const webSocket: TunnelEndpoint = {
      url: `${origins.tunnel(this.#config).replace(/^http/, 'ws')}${tunnelPath}`,
      transport: 'websocket',
      certHashes: [],
    };
    if (this.#webTransport === undefined || this.#udpPort === undefined) return [webSocket];
    // Names under localhost mean the loopback address, and a browser's QUIC wants that said.
    const host = shell.hostname.endsWith('.localhost') ? '127.0.0.1' : shell.hostname;
    // A ticket goes behind the slash.
    const path = this.ticketKey === undefined ? tunnelPath : `${tunnelPath}/`;
    const webTransport: TunnelEndpoint = {
      url: `https://${host}:${this.#config.udp.publicPort ?? this.#udpPort}${path}`,
      transport: 'webtransport',
      certHashes: this.#webTransport.certHashes().map((hash) => base64url(hash)),
    };
    return [webTransport, webSocket];
  }

  /** Mints the tickets that WebTransport wants here, if it wants any (TransportServer). */
  get ticketKey(): Uint8Array | undefined {
    return this.#udpPort === undefined ? undefined : this.#webTransport?.ticketKey;
  }

  /** UDP port of WebTransport, or undefined where there is none. */
  get udpPort(): number | undefined {
    return this.#udpPort;
  }

  async close(): Promise<void> {
    await Promise.all([this.#webSocket.close(), this.#webTransport?.close()]);
    this.http.closeAllConnections();
  }

  async #listen(log: Logger): Promise<void> {
    const { udp } = this.#config;
    const { bind = this.#config.bind, port = this.#config.port } = udp;
    if (this.#webTransport === undefined) {
      log.warn('no WebTransport here; the tunnel runs over WebSocket');
      return;
    }
    try {
      this.#udpPort = (await this.#webTransport.listen({ host: bind, port })).port;
      log.info({ engine: this.#webTransport.engine, port: this.#udpPort }, 'WebTransport listens');
    } catch (error) {
      log.warn({ err: error, port }, 'the UDP port cannot be used; the tunnel runs over WebSocket');
    }
  }
}

async function loadEngine(
  wanted: Config['webTransport'],
  options: EngineOptions,
): Promise<TransportServer | undefined> {
  if (wanted === 'off') return undefined;
  return loadTransport({ ...options, engine: wanted === 'auto' ? undefined : wanted });
}

const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : 'unknown');
const originHost = (origin: string): string => new URL(origin).host;

/** The apps' own certificate for WebTransport, when browsers take it; undefined for one of our making. */
function ownCertificates({ config: { tls }, clock, log }: EndpointsOptions): OpenCertificates | undefined {
  if (tls === undefined || tls.webTransport === 'hashes') return undefined;
  if (tls.webTransport === 'auto' && !isPublic(readPair(tls.apps))) return undefined;
  return async (onChange) => {
    const watch = new CertificateWatch(tls.apps, { clock, log, onChange });
    return {
      get current(): CertificatePair {
        return watch.pair;
      },
      hashes: [],
      close: () => watch.close(),
    };
  };
}

/** Upgrades at /tunnel; 404 for another path, 421 for another host (RFC 9110 section 15.5.20). */
function newHttpServer(options: EndpointsOptions, webSocket: WebSocketTransport): Server {
  const { config } = options;
  const host = originHost(origins.tunnel(config));
  const proxies = new Proxies(config.trustedProxies);
  const server = newServer(options, { maxHeaderSize: 16 * 1024, headersTimeout: 10_000 });
  server.on('request', (request, response) => {
    const status = request.headers.host === host ? (request.url === tunnelPath ? 426 : 404) : 421;
    response.writeHead(status, { connection: 'close', 'cache-control': 'no-store', upgrade: 'websocket' }).end();
  });
  server.on('upgrade', (request, socket, head) => {
    if (request.headers.host !== host) refuseUpgrade(socket, '421 Misdirected Request');
    // The proxy in front has to say that it was asked over TLS.
    else if (config.scheme === 'https' && !proxies.callerOf(request).secure) refuseUpgrade(socket, '403 Forbidden');
    else webSocket.handleUpgrade(request, socket, head);
  });
  // What is not HTTP at all is nobody we know.
  server.on('clientError', (_error, socket) => socket.destroy());
  return server;
}
