/**
 * A WireGuard peer in the test's own process behind which a service comes and goes: reached by real WireGuard packets
 * over loopback and no other way.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { NetStack } from '../../../server/netstack/stack.ts';
import { WireGuardDevice } from '../../../server/wireguard/device.ts';
import type { Product } from './product.ts';

const address = '10.92.0.2';
const port = 8_080;

export class LocalPeer {
  /** Of what is behind it, for the product. */
  readonly url = `http://${address}:${port}`;
  readonly #device: WireGuardDevice;
  readonly #stack: NetStack;
  #stop: (() => void) | undefined;

  private constructor(device: WireGuardDevice, stack: NetStack) {
    this.#device = device;
    this.#stack = stack;
  }

  /** Joins the product and publishes a service at which nobody listens yet. */
  static async publish(product: Product, name: string): Promise<LocalPeer> {
    const device = new WireGuardDevice({ privateKey: randomBytes(32) });
    const udp = await device.listen({ port: 0, host: '127.0.0.1' });
    const { publicKey, port: gatewayPort } = product.ready.wireguard;
    device.setPeer({ publicKey, allowedIps: ['100.100.0.1/32'], endpoint: `127.0.0.1:${gatewayPort}` });
    const stack = new NetStack({ addresses: [address], output: (packet) => device.send(packet) });
    device.onPacket = (packet) => stack.input(packet);
    const own = ['--public-key', Buffer.from(device.publicKey).toString('base64'), '--allowed-ips', `${address}/32`];
    await product.cliJson('wg', 'add-peer', ...own, '--endpoint', `127.0.0.1:${udp.port}`, '--name', name);
    await product.cliJson('service', 'add', name, `http://${address}:${port}`);
    return new LocalPeer(device, stack);
  }

  /** Now there is a service. */
  serve(answer: RequestListener, upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): void {
    const server = createServer(answer);
    if (upgrade !== undefined) server.on('upgrade', upgrade);
    const connections = new Set<Duplex>();
    const listening = this.#stack.listen({ port }, (socket) => {
      connections.add(socket);
      server.emit('connection', socket);
    });
    this.#stop = () => {
      listening.close();
      for (const connection of connections) connection.destroy();
    };
  }

  /** The service dies: its connections break, and nobody listens. */
  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    this.#stack.close();
    await this.#device.close();
  }
}

/** Answers with the first part of a long file and then nothing more. @returns when that part is out. */
export function beginFile(response: ServerResponse, length: number, part: number): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': length });
  return new Promise((resolve) => response.write(Buffer.alloc(part, 'x'), () => resolve()));
}
