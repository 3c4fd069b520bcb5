/**
 * Connections of the data plane, each bound to the key it was meant for, whatever carries the packets. An address alone
 * names nobody: whoever configures a peer may give it any address. So a connection is made only while the address leads
 * to the expected key, and is cut when it leads elsewhere (docs: "A service is bound to its connector's key").
 */
import type { Duplex } from 'node:stream';
import type { UdpSocket } from '../netstack/udp.ts';

/** The address does not, or no longer, lead to the expected peer. */
export class DataPlaneError extends Error {
  readonly code = 'EWRONGPEER';

  constructor() {
    super('The address does not lead to the WireGuard peer that the service is bound to.');
    this.name = 'DataPlaneError';
  }
}

/** Which peer an inner address leads to. */
export interface Routes {
  /** @returns the public key, base64; undefined for none. */
  route(ip: string): string | undefined;
  /** Called after peers or their addresses changed. */
  onRoutes: (() => void) | undefined;
}

/** The part of a TCP connection that both stacks have: ours, and the system's. */
export interface InnerSocket extends Duplex {
  setKeepAlive(enable: boolean, initialDelayMs: number): unknown;
  /** Ends it when what is written to it while it is quiet finds no answer; the system's have no such thing. */
  setAnswerLimit?(ms: number): unknown;
}

/** A UDP flow to one port of one host: datagrams whole or not at all. */
export type UdpFlow = Pick<UdpSocket, 'onDatagram' | 'onUnreachable' | 'send' | 'close' | 'closed'>;

export interface InnerTarget {
  /** An IP literal inside the data plane. */
  readonly host: string;
  readonly port: number;
}

export interface InnerConnectOptions extends InnerTarget {
  /** Gives up the attempt; later it has no effect. */
  readonly signal?: AbortSignal | undefined;
  /** As in node:net. */
  readonly allowHalfOpen?: boolean | undefined;
}

/** Opens connections inside the data plane: NetStack, or the sockets of the system. */
export interface InnerNetwork<Socket extends InnerSocket> {
  connect(options: InnerConnectOptions): Promise<Socket>;
  openUdp(to: InnerTarget): UdpFlow;
}

export interface PlaneConnectOptions extends InnerConnectOptions {
  /** Base64: the only peer that may be behind `host`. */
  readonly wireguardKey: string;
}

/** Where a connection was meant to lead. */
interface Bond {
  readonly host: string;
  readonly key: string;
}

export class PeerBinding<Socket extends InnerSocket> {
  readonly #routes: Routes;
  readonly #network: InnerNetwork<Socket>;
  /** Open connections and where each is bound to. */
  readonly #bound = new Map<Socket, Bond>();
  /** UDP flows likewise. */
  readonly #flows = new Map<UdpFlow, Bond>();
  /** Attempts under way likewise. */
  readonly #attempts = new Set<Bond & { readonly cut: AbortController }>();

  /** Takes over onRoutes. */
  constructor(routes: Routes, network: InnerNetwork<Socket>) {
    this.#routes = routes;
    this.#network = network;
    routes.onRoutes = () => this.#cutStrangers();
  }

  /**
   * @throws DataPlaneError EWRONGPEER; otherwise what the network throws.
   */
  async connect({ host, port, wireguardKey: key, signal, allowHalfOpen }: PlaneConnectOptions): Promise<Socket> {
    if (!this.#leads({ host, key })) throw new DataPlaneError();
    const attempt = { host, key, cut: new AbortController() };
    const either = signal === undefined ? attempt.cut.signal : AbortSignal.any([signal, attempt.cut.signal]);
    this.#attempts.add(attempt);
    try {
      const socket = await this.#network.connect({ host, port, signal: either, allowHalfOpen });
      if (!this.#leads(attempt)) throw this.abandon(socket);
      this.bind(socket, attempt);
      return socket;
    } finally {
      this.#attempts.delete(attempt);
    }
  }

  /**
   * A UDP flow to one port behind the expected peer alone, closed when the address leads elsewhere.
   * @throws DataPlaneError EWRONGPEER; otherwise what the network throws.
   */
  openUdp({ host, port, wireguardKey: key }: InnerTarget & { readonly wireguardKey: string }): UdpFlow {
    if (!this.#leads({ host, key })) throw new DataPlaneError();
    const flow = this.#network.openUdp({ host, port });
    this.#flows.set(flow, { host, key });
    void flow.closed.then(() => this.#flows.delete(flow));
    return flow;
  }

  protected bind(socket: Socket, { host, key }: Bond): void {
    this.#bound.set(socket, { host, key });
    socket.once('close', () => this.#bound.delete(socket));
  }

  /** Resets a connection that nobody has been given, and whose error nobody can therefore listen for. */
  protected abandon(socket: Socket): DataPlaneError {
    const reason = new DataPlaneError();
    socket.on('error', () => {});
    socket.destroy(reason);
    return reason;
  }

  #leads({ host, key }: Bond): boolean {
    return this.#routes.route(host) === key;
  }

  #cutStrangers(): void {
    for (const attempt of this.#attempts) if (!this.#leads(attempt)) attempt.cut.abort(new DataPlaneError());
    for (const [flow, bond] of this.#flows) if (!this.#leads(bond)) flow.close();
    for (const [socket, bond] of this.#bound) if (!this.#leads(bond)) socket.destroy(new DataPlaneError());
  }
}
