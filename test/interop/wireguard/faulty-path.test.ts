/**
 * A path that loses, repeats, reorders and damages datagrams between us and wireguard-go: what is fetched and what is
 * sent has the hash it had at its beginning. Either side begins, with and without a pre-shared key.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { type TestContext, test } from 'node:test';
import { NetStack } from '../../../server/netstack/stack.ts';
import { WireGuardDevice } from '../../../server/wireguard/device.ts';
import { DataPlane } from '../../../server/wireguard/plane.ts';
import { type Namespace, needsNamespaces, newNamespace } from '../../support/namespace.ts';
import { UdpProxy } from '../../support/udp-proxy.ts';
import { inner } from './far-peer.ts';

const options = { ...needsNamespaces, timeout: 120_000 };
const faults = { loss: 0.02, duplicate: 0.02, reorder: 0.02, corrupt: 0.02 };
const size = 1_048_576;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Serves `size` random bytes under their hash; answers a POST with the hash of what came. */
const serverScript = `
const { createHash, randomBytes } = require('node:crypto');
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const body = randomBytes(${size});
require('node:http').createServer((request, response) => {
  if (request.method === 'GET') return response.setHeader('x-sha256', sha256(body)).end(body);
  const parts = [];
  request.on('data', (part) => parts.push(part)).on('end', () => response.end(sha256(Buffer.concat(parts))));
}).listen({ host: '0.0.0.0', port: 80 }, () => console.log('listens'));
`;

interface World {
  readonly device: WireGuardDevice;
  readonly plane: DataPlane;
  readonly path: UdpProxy;
  readonly key: string;
}

async function newWorld(t: TestContext, initiator: 'ours' | 'theirs', presharedKey?: Uint8Array): Promise<World> {
  const far = newNamespace();
  t.after(() => far.destroy());
  const device = new WireGuardDevice({ privateKey: randomBytes(32) });
  t.after(() => device.close());
  const { port } = await device.listen({ port: 0 });
  const psk = presharedKey && { presharedKey };
  const seed = randomBytes(4).readUInt32LE();
  t.diagnostic(`seed ${seed}`);
  // Whoever begins sends to the path; the other learns from it where to answer.
  const ends = initiator === 'ours' ? { server: far.far4 } : { listen: far.near4 };
  const path = await UdpProxy.start(initiator === 'ours' ? 51_820 : port, seed, faults, ends);
  t.after(() => path[Symbol.dispose]());
  const ours = {
    publicKey: Buffer.from(device.publicKey).toString('base64'),
    allowedIps: [`${inner[4].near}/32`],
    ...psk,
    ...(initiator === 'theirs' && { endpoint: `${far.near4}:${path.port}`, keepaliveS: 1 }),
  };
  const go = await far.startWireGuard({ addresses: [`${inner[4].far}/24`], peers: [ours] });
  await serve(far);
  const made = new Promise<void>((resolve) => {
    device.onSession = () => resolve();
  });
  device.setPeer({
    publicKey: go.publicKey,
    allowedIps: [`${inner[4].far}/32`],
    ...psk,
    ...(initiator === 'ours' && { endpoint: `127.0.0.1:${path.port}` }),
  });
  const stack = new NetStack({ addresses: [inner[4].near], output: (packet) => device.send(packet) });
  t.after(() => stack.close());
  if (initiator === 'theirs') await made;
  return { device, plane: new DataPlane({ device, stack }), path, key: go.publicKey };
}

async function serve(far: Namespace): Promise<void> {
  const child = far.spawn(process.execPath, ['-e', serverScript], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout!, 'data');
}

async function exchange({ plane, key }: World, body?: Uint8Array): Promise<{ message: IncomingMessage; body: Buffer }> {
  const socket = await plane.connect({ host: inner[4].far, port: 80, wireguardKey: key });
  const sent = request({
    ...{ host: inner[4].far, method: body === undefined ? 'GET' : 'POST', headers: { connection: 'close' } },
    // The types of node:http ask for a net.Socket; what it uses of one TcpSocket has.
    createConnection: () => socket as never,
  });
  sent.end(body);
  const [message] = (await once(sent, 'response')) as [IncomingMessage];
  return { message, body: Buffer.concat(await message.toArray()) };
}

for (const initiator of ['ours', 'theirs'] as const)
  for (const presharedKey of [undefined, randomBytes(32)]) {
    const how = `${initiator === 'ours' ? 'we' : 'wireguard-go'} began ${presharedKey ? 'with' : 'without'} a preshared key`;
    test(`BR-7: over a path of every fault what goes either way keeps its hash, where ${how}`, options, async (t) => {
      const world = await newWorld(t, initiator, presharedKey);
      const down = await exchange(world);
      assert.deepEqual([down.body.length, sha256(down.body)], [size, down.message.headers['x-sha256']]);
      const up = randomBytes(size);
      assert.equal((await exchange(world, up)).body.toString(), sha256(up));
      const { forwarded: _, ...met } = world.path.counts;
      assert.ok(
        Object.values(met).every((count) => count > 0),
        `every fault was met: ${JSON.stringify(met)}`,
      );
      const { tagWrong, counterReplayed } = world.device.counters;
      assert.ok(
        tagWrong > 0 && counterReplayed > 0,
        `damage ${tagWrong} and repetition ${counterReplayed} were counted`,
      );
    });
  }
