/**
 * The data plane: TCP connections that go through WireGuard, each bound to the key it was meant for. An address alone
 * names nobody: whoever configures a peer may give it any address. So a connection is made only while the address
 * leads to the expected key, and is cut when it leads elsewhere (docs: "A service is bound to its connector's key").
 *
 * The stack's output must already be the device's send; this joins the other direction:
 *
 *     const stack = new NetStack({ addresses, output: (packet) => device.send(packet) });
 *     const plane = new DataPlane({ device, stack });
 *     const socket = await plane.connect({ host: '100.100.7.2', port: 80, wireguardKey, signal });
 */

import type { TcpSocket } from '../netstack/socket.ts';
import type { ListenOptions, NetStack } from '../netstack/stack.ts';
import type { UdpSocket } from '../netstack/udp.ts';
import type { WireGuardDevice } from './device.ts';

/** The address does not, or no longer, lead to the expected peer. */
export class DataPlaneError extends Error {
  readonly code = 'EWRONGPEER';

  constructor() {
    super('The address does not lead to the WireGuard peer that the service is bound to.');
    this.name = 'DataPlaneError';
  }
}

export interface PlaneConnectOptions {
  /** An IP literal inside the data plane. */
  readonly host: string;
  readonly port: number;
  /** Base64: the only peer that may be behind `host`. */
  readonly wireguardKey: string;
  /** Gives up the attempt; later it has no effect. */
  readonly signal?: AbortSignal | undefined;
  /** As in node:net. */
  readonly allowHalfOpen?: boolean | undefined;
}

export class DataPlane {
  readonly #device: WireGuardDevice;
  readonly #stack: NetStack;
  /** Open connections and the key each is bound to. */
  readonly #bound = new Map<TcpSocket, string>();
  /** UDP sockets likewise. */
  readonly #flows = new Map<UdpSocket, string>();
  /** Attempts under way likewise. */
  readonly #attempts = new Set<{ host: string; key: string; cut: AbortController }>();

  /** Takes over the device's onPacket and onRoutes. */
  constructor({ device, stack }: { device: WireGuardDevice; stack: NetStack }) {
    this.#device = device;
    this.#stack = stack;
    device.onPacket = (packet) => stack.input(packet);
    device.onRoutes = () => this.#cutStrangers();
  }

  /**
   * @throws DataPlaneError EWRONGPEER; otherwise what NetStack.connect throws.
   */
  async connect({ host, port, wireguardKey, signal, allowHalfOpen }: PlaneConnectOptions): Promise<TcpSocket> {
    if (this.#device.route(host) !== wireguardKey) throw new DataPlaneError();
    const attempt = { host, key: wireguardKey, cut: new AbortController() };
    const either = signal === undefined ? attempt.cut.signal : AbortSignal.any([signal, attempt.cut.signal]);
    this.#attempts.add(attempt);
    try {
      const socket = await this.#stack.connect({ host, port, signal: either, allowHalfOpen });
      if (this.#device.route(host) !== wireguardKey) throw abandon(socket);
      this.#bind(socket, wireguardKey);
      return socket;
    } finally {
      this.#attempts.delete(attempt);
    }
  }

  /**
   * A UDP socket that speaks to one port behind the expected peer alone, and is closed when the address leads elsewhere.
   * @throws DataPlaneError EWRONGPEER; otherwise what NetStack.openUdp throws.
   */
  openUdp({ host, port, wireguardKey }: Pick<PlaneConnectOptions, 'host' | 'port' | 'wireguardKey'>): UdpSocket {
    if (this.#device.route(host) !== wireguardKey) throw new DataPlaneError();
    const socket = this.#stack.openUdp({ host, port });
    this.#flows.set(socket, wireguardKey);
    void socket.closed.then(() => this.#flows.delete(socket));
    return socket;
  }

  /**
   * Accepts connections from peers.
   * @param onSocket also gets the public key (base64) of the peer at the other end.
   */
  listen(options: ListenOptions, onSocket: (socket: TcpSocket, wireguardKey: string) => void): { close(): void } {
    return this.#stack.listen(options, (socket) => {
      const key = this.#device.route(socket.remoteAddress);
      if (key === undefined) {
        abandon(socket);
        return;
      }
      this.#bind(socket, key);
      onSocket(socket, key);
    });
  }

  #bind(socket: TcpSocket, key: string): void {
    this.#bound.set(socket, key);
    socket.once('close', () => this.#bound.delete(socket));
  }

  #cutStrangers(): void {
    for (const { host, key, cut } of this.#attempts) {
      if (this.#device.route(host) !== key) cut.abort(new DataPlaneError());
    }
    for (const [socket, key] of this.#flows) {
      if (this.#device.route(socket.remoteAddress) !== key) socket.close();
    }
    for (const [socket, key] of this.#bound) {
      if (this.#device.route(socket.remoteAddress) !== key) socket.destroy(new DataPlaneError());
    }
  }
}

/** Resets a connection that nobody has been given, and whose error nobody can therefore listen for. */
function abandon(socket: TcpSocket): DataPlaneError {
  const reason = new DataPlaneError();
  socket.on('error', () => {});
  socket.destroy(reason);
  return reason;
}
