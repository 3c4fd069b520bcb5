/**
 * The embedded data plane: connections through a WireGuard device and a TCP/IP stack of this process, each bound to the
 * key it was meant for (peer-binding.ts).
 *
 * The stack's output must already be the device's send; this joins the other direction:
 *
 *     const stack = new NetStack({ addresses, output: (packet) => device.send(packet) });
 *     const plane = new DataPlane({ device, stack });
 *     const socket = await plane.connect({ host: '100.100.7.2', port: 80, wireguardKey, signal });
 */
import type { TcpSocket } from '../netstack/socket.ts';
import type { ListenOptions, NetStack } from '../netstack/stack.ts';
import type { WireGuardDevice } from './device.ts';
import { PeerBinding } from './peer-binding.ts';

/** The part of a device that the plane uses. */
export type PlaneDevice = Pick<WireGuardDevice, 'onPacket' | 'onRoutes' | 'route'>;

export class DataPlane extends PeerBinding<TcpSocket> {
  readonly #device: PlaneDevice;
  readonly #stack: NetStack;

  /** Takes over the device's onPacket and onRoutes. */
  constructor({ device, stack }: { device: PlaneDevice; stack: NetStack }) {
    super(device, stack);
    this.#device = device;
    this.#stack = stack;
    device.onPacket = (packet) => stack.input(packet);
  }

  /**
   * Accepts connections from peers.
   * @param onSocket also gets the public key (base64) of the peer at the other end.
   */
  listen(options: ListenOptions, onSocket: (socket: TcpSocket, wireguardKey: string) => void): { close(): void } {
    return this.#stack.listen(options, (socket) => {
      const host = socket.remoteAddress;
      const key = this.#device.route(host);
      if (key === undefined) {
        this.abandon(socket);
        return;
      }
      this.bind(socket, { host, key });
      onSocket(socket, key);
    });
  }
}
