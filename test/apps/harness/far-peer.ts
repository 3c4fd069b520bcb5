/**
 * The machine that the apps are on: a WireGuard peer in this process, with TCP of its own, that passes each connection
 * on to a port of loopback. The product reaches it by real WireGuard packets and no other way.
 */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { NetStack } from '../../../server/netstack/stack.ts';
import { WireGuardDevice } from '../../../server/wireguard/device.ts';
import type { Product } from '../../e2e/support/product.ts';

const address = '10.93.0.2';

export class FarPeer {
  readonly #device: WireGuardDevice;
  readonly #stack: NetStack;

  private constructor(device: WireGuardDevice, stack: NetStack) {
    this.#device = device;
    this.#stack = stack;
  }

  static async join(product: Product): Promise<FarPeer> {
    const device = new WireGuardDevice({ privateKey: randomBytes(32) });
    const udp = await device.listen({ port: 0, host: '127.0.0.1' });
    const { publicKey, port } = product.ready.wireguard;
    device.setPeer({ publicKey, allowedIps: ['100.100.0.1/32'], endpoint: `127.0.0.1:${port}` });
    const stack = new NetStack({ addresses: [address], output: (packet) => device.send(packet) });
    device.onPacket = (packet) => stack.input(packet);
    const own = ['--public-key', Buffer.from(device.publicKey).toString('base64'), '--allowed-ips', `${address}/32`];
    await product.cliJson('wg', 'add-peer', ...own, '--endpoint', `127.0.0.1:${udp.port}`, '--name', 'apps');
    return new FarPeer(device, stack);
  }

  /** @returns the address of a port of loopback as the product sees it, `http://HOST:PORT`. */
  expose(loopbackPort: number): string {
    this.#stack.listen({ port: loopbackPort }, (socket) => {
      const onward = connect({ port: loopbackPort, host: '127.0.0.1', allowHalfOpen: true });
      socket.on('error', () => onward.destroy());
      onward.on('error', () => socket.destroy());
      socket.pipe(onward).pipe(socket);
      socket.on('close', () => onward.destroy());
      onward.on('close', () => socket.destroy());
    });
    return `http://${address}:${loopbackPort}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stack.close();
    await this.#device.close();
  }
}
