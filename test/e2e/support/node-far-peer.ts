/**
 * A WireGuard peer with a service behind it, inside the test's own process: the gateway reaches it by real WireGuard
 * packets over loopback and no other way. For the real wireguard-go see far-network.ts.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import { NetStack } from '../../../server/netstack/stack.ts';
import { WireGuardDevice } from '../../../server/wireguard/device.ts';
import type { Product } from './product.ts';

export interface FarPeerOptions {
  /** The address behind the peer. */
  readonly address: string;
  readonly port: number;
  readonly serve: RequestListener;
}

export class FarPeer {
  readonly publicKey: string;
  readonly endpoint: string;
  readonly address: string;
  /** Requests the service was ever asked. */
  requests = 0;
  readonly #device: WireGuardDevice;
  readonly #stack: NetStack;
  readonly #server: Server;

  private constructor(device: WireGuardDevice, stack: NetStack, server: Server, udpPort: number, address: string) {
    this.#device = device;
    this.#stack = stack;
    this.#server = server;
    this.publicKey = Buffer.from(device.publicKey).toString('base64');
    this.endpoint = `127.0.0.1:${udpPort}`;
    this.address = address;
  }

  /** Starts the peer; the product has to be told of it: {@link FarPeer.join}. */
  static async start(product: Product, options: FarPeerOptions): Promise<FarPeer> {
    const device = new WireGuardDevice({ privateKey: randomBytes(32) });
    const { port } = await device.listen({ port: 0, host: '127.0.0.1' });
    const { publicKey, port: gatewayPort } = product.ready.wireguard;
    device.setPeer({
      publicKey,
      allowedIps: ['100.100.0.1/32'],
      endpoint: `127.0.0.1:${gatewayPort}`,
    });
    const stack = new NetStack({ addresses: [options.address], output: (packet) => device.send(packet) });
    device.onPacket = (packet) => stack.input(packet);
    const server = createServer();
    const peer = new FarPeer(device, stack, server, port, options.address);
    server.on('request', (request, response) => {
      peer.requests += 1;
      options.serve(request, response);
    });
    stack.listen({ port: options.port }, (socket) => server.emit('connection', socket));
    return peer;
  }

  /** Makes it a peer of the gateway. */
  async join(product: Product, name: string): Promise<void> {
    const options = ['--public-key', this.publicKey, '--allowed-ips', `${this.address}/32`];
    await product.cliJson('wg', 'add-peer', ...options, '--endpoint', this.endpoint, '--name', name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#stack.close();
    await this.#device.close();
  }
}
