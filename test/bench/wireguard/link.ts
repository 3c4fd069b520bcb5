/**
 * One far namespace with a wireguard-go and a web server in it, and two ways to it over the same veth pair: our device and
 * stack in this process, and a wireguard-go on this machine with the kernel's TCP.
 */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type ClientRequestArgs } from 'node:http';
import { join } from 'node:path';
import { NetStack } from '../../../server/netstack/stack.ts';
import { WireGuardDevice } from '../../../server/wireguard/device.ts';
import { DataPlane } from '../../../server/wireguard/plane.ts';
import { here, newNamespace, publicKeyOf, startWireGuard } from '../../support/namespace.ts';
import type { Client } from './transfers.ts';

export interface Link {
  readonly ours: Client;
  readonly wireguardGo: Client;
  readonly stack: NetStack;
  close(): Promise<void>;
}

export async function newLink(): Promise<Link> {
  const far = newNamespace();
  // Inside of 100.64.0.0/10, apart from what other runs on this machine may have.
  const prefix = `100.${64 + (process.pid & 0x3f)}.${(process.pid >> 6) & 0xff}`;
  const [farInner, ourInner, goInner] = [`${prefix}.1`, `${prefix}.2`, `${prefix}.3`];
  const device = new WireGuardDevice({ privateKey: randomBytes(32) });
  const nearKey = randomBytes(32);
  const farGo = await far.startWireGuard({
    addresses: [`${farInner}/24`],
    peers: [
      { publicKey: Buffer.from(device.publicKey).toString('base64'), allowedIps: [`${ourInner}/32`] },
      { publicKey: publicKeyOf(nearKey), allowedIps: [`${goInner}/32`] },
    ],
  });
  const peer = { publicKey: farGo.publicKey, allowedIps: [`${farInner}/32`], endpoint: `${far.far4}:${farGo.port}` };
  const nearGo = await startWireGuard(here, `lk${process.pid}b`, {
    privateKey: nearKey,
    // Any free port; the far side learns it.
    port: 0,
    addresses: [`${goInner}/32`],
    peers: [peer],
  });
  const stack = new NetStack({ addresses: [ourInner], output: (packet) => device.send(packet) });
  new DataPlane({ device, stack });
  await device.listen({ port: 0 });
  device.setPeer(peer);
  const server = far.spawn(process.execPath, [join(import.meta.dirname, 'far-server.ts'), farInner], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(server.stdout!, 'data');
  return {
    ours: { agent: new StackAgent(stack), host: farInner },
    wireguardGo: { agent: new Agent({ keepAlive: true }), host: farInner },
    stack,
    close: async () => {
      stack.close();
      await device.close();
      await nearGo.stop();
      await far.destroy();
    },
  };
}

class StackAgent extends Agent {
  readonly #stack: NetStack;

  constructor(stack: NetStack) {
    super({ keepAlive: true });
    this.#stack = stack;
  }

  override createConnection({ host, port }: ClientRequestArgs): never {
    // The types of node:http ask for a net.Socket; what it uses of one TcpSocket has.
    return this.#stack.open({ host: host!, port: Number(port) }) as never;
  }
}
