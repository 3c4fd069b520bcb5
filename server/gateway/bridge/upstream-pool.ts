/**
 * Connections from the gateway to one service, through the data plane and nothing else. A pool belongs to one session:
 * a login that a service ties to a connection (NTLM, Negotiate) can then never serve another person, and the end of the
 * session ends every connection made for it.
 */
import { Agent, type AgentOptions, type ClientRequestArgs } from 'node:http';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { ServiceRecord } from '../../channel/snapshot-content.ts';
import type { UdpFlow } from '../../wireguard/peer-binding.ts';
import { type FarEnd, farEndOf } from '../far-trust.ts';
import { connectLimitMs, idleConnectionMs } from '../limits.ts';
import { BridgeError } from './tunnel-stream.ts';

/** Where a connection must end: the address, and the WireGuard key it must be routed to. */
export interface UpstreamTarget {
  readonly host: string;
  readonly port: number;
  readonly wireguardKey: string;
  /** Who must be there in TLS inside WireGuard; absent for none. */
  readonly innerTls?: FarEnd;
  /** What is written to the quiet connection must find an answer within this time; absent: as long as TCP waits. */
  readonly answerLimitMs?: number;
}

/** Opens a byte stream in the data plane; rejects with `EWRONGPEER` when the address belongs to another key. */
export type Connect = (target: UpstreamTarget, signal: AbortSignal) => Promise<Duplex>;

/** The same for UDP, at once: nothing is asked of the far end. */
export type OpenUdp = (target: UpstreamTarget) => UdpFlow;

export interface UpstreamPoolOptions {
  readonly service: ServiceRecord;
  readonly connect: Connect;
  readonly openUdp: OpenUdp;
  /** Certificate authorities of https services, PEM; the system's own when absent. */
  readonly ca?: readonly string[] | undefined;
}

export class UpstreamPool {
  /** Hands kept connections to HTTP requests. */
  readonly agent: Agent;
  readonly #options: UpstreamPoolOptions;
  readonly #open = new Set<Duplex>();
  readonly #flows = new Set<UdpFlow>();
  readonly #closing = new AbortController();

  constructor(options: UpstreamPoolOptions) {
    this.#options = options;
    this.agent = new DataPlaneAgent(() => this.#connect(connectLimitMs));
  }

  /** A new connection to the service, TLS included where its scheme says so. */
  connect(): Promise<Duplex> {
    return this.#connect();
  }

  /** A UDP flow to the service alone. */
  openUdp(): UdpFlow {
    const { openUdp, service } = this.#options;
    const { address: host, port, wireguardKey } = service;
    const flow = openUdp({ host, port, wireguardKey });
    this.#flows.add(flow);
    void flow.closed.then(() => this.#flows.delete(flow));
    return flow;
  }

  /** @param answerLimitMs for connections that are kept: a request on one whose peer has gone fails like a connect. */
  async #connect(answerLimitMs?: number): Promise<Duplex> {
    const { service } = this.#options;
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(connectLimitMs)]);
    const socket = await this.#plain(signal, answerLimitMs);
    this.#keep(socket);
    return service.scheme === 'https' ? this.#secure(socket, signal) : socket;
  }

  /** Ends every connection at once; exchanges that use one fail. */
  close(): void {
    this.#closing.abort();
    this.agent.destroy();
    for (const socket of this.#open) socket.destroy();
    for (const flow of this.#flows) flow.close();
  }

  async #plain(signal: AbortSignal, answerLimitMs: number | undefined): Promise<Duplex> {
    const { service, connect } = this.#options;
    try {
      const { address: host, port, wireguardKey } = service;
      const limit = answerLimitMs === undefined ? {} : { answerLimitMs };
      const innerTls = farEndOf(service);
      const inner = innerTls === undefined ? {} : { innerTls };
      const socket = await connect({ host, port, wireguardKey, ...limit, ...inner }, signal);
      if (signal.aborted) {
        socket.destroy();
        throw timedOut();
      }
      return socket;
    } catch (cause) {
      throw signal.aborted ? timedOut(cause) : cause;
    }
  }

  #keep(socket: Duplex): void {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    // Whoever uses the connection hears of its errors; an idle one that breaks concerns nobody.
    socket.on('error', () => undefined);
  }

  async #secure(socket: Duplex, signal: AbortSignal): Promise<Duplex> {
    const { service, ca } = this.#options;
    const servername = service.upstreamHost.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
    const secured = connectTls({
      socket,
      // An address has no SNI (RFC 6066 section 3), but it is what the certificate must name.
      host: servername,
      ...(isName(servername) ? { servername } : {}),
      ...(ca === undefined ? {} : { ca: [...ca] }),
      ALPNProtocols: ['http/1.1'],
    });
    this.#keep(secured);
    const abort = () => secured.destroy(timedOut());
    signal.addEventListener('abort', abort, { once: true });
    try {
      await new Promise<void>((resolve, reject) => {
        secured.once('secureConnect', resolve);
        secured.once('error', reject);
        secured.once('close', () => reject(new BridgeError('upstream_failed')));
      });
      return secured;
    } catch (error) {
      secured.destroy();
      socket.destroy();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}

const timedOut = (cause?: unknown): BridgeError => new BridgeError('timeout', { cause });
const isName = (host: string): boolean => !/^[\d.]+$/.test(host) && !host.includes(':');

/** Node's pool over sockets of ours. The number of requests is bounded by the session's streams. */
class DataPlaneAgent extends Agent {
  readonly #connect: () => Promise<Duplex>;

  constructor(connect: () => Promise<Duplex>) {
    // An idle connection is dropped before the service drops it, so that a POST seldom meets a dead one.
    const options: AgentOptions = { keepAlive: true, maxFreeSockets: 16, timeout: idleConnectionMs };
    super(options);
    this.#connect = connect;
  }

  override createConnection(
    _options: ClientRequestArgs,
    done?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    this.#connect().then(
      (socket) => done?.(null, socket),
      // The callback takes no socket with an error, whatever its declaration says.
      (error: Error) => done?.(error, undefined as unknown as Duplex),
    );
    return undefined;
  }
}
