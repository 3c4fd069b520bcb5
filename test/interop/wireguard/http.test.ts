/** The whole data plane: device and stack fetch a page from a server that only exists behind wireguard-go. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { get, request } from 'node:http';
import { type TestContext, test } from 'node:test';
import { NetStack } from '../../../server/netstack/stack.ts';
import { DataPlane } from '../../../server/wireguard/plane.ts';
import { type Namespace, needsNamespaces } from '../../support/namespace.ts';
import { type FarPeer, inner, newFarPeer } from './far-peer.ts';

const options = { ...needsNamespaces, timeout: 120_000 };
const size = 16 * 1_048_576;

/**
 * Serves `size` bytes that no compression or repetition would survive, and says their hash when it listens; answers a POST
 * with the hash of what came.
 */
const serverScript = `
const { createHash, randomBytes } = require('node:crypto');
const { createServer } = require('node:http');
const body = randomBytes(${size});
createServer((request, response) => {
  if (request.method === 'GET') return response.end(body);
  const hash = createHash('sha256');
  request.on('data', (chunk) => hash.update(chunk)).on('end', () => response.end(hash.digest('hex')));
}).listen({ host: '::', port: 80 }, () =>
  console.log(createHash('sha256').update(body).digest('hex')));
`;

async function serve(far: Namespace): Promise<string> {
  const child = far.spawn(process.execPath, ['-e', serverScript], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', (line: Buffer) => resolve(line.toString('utf8').trim()));
    child.once('exit', () => reject(new Error('the server in the namespace ended')));
  });
}

async function newPlane(t: TestContext): Promise<FarPeer & { plane: DataPlane }> {
  const peer = await newFarPeer(t, { initiator: 'ours' });
  const stack = new NetStack({
    addresses: [inner[4].near, inner[6].near],
    output: (packet) => peer.device.send(packet),
  });
  t.after(() => stack.close());
  return { ...peer, plane: new DataPlane({ device: peer.device, stack }) };
}

/** @returns the hash and length of a page. */
async function fetchPage(
  plane: DataPlane,
  host: string,
  wireguardKey: string,
): Promise<{ hash: string; length: number }> {
  const socket = await plane.connect({ host, port: 80, wireguardKey });
  return new Promise((resolve, reject) => {
    // The types of node:http ask for a net.Socket; what it uses of one TcpSocket has.
    const createConnection = () => socket as never;
    get({ host, path: '/', createConnection, headers: { connection: 'close' } }, (response) => {
      const hash = createHash('sha256');
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        hash.update(chunk);
        length += chunk.length;
      });
      response.on('end', () => resolve({ hash: hash.digest('hex'), length }));
      response.on('error', reject);
    }).on('error', reject);
  });
}

for (const family of [4, 6] as const) {
  test(`BR-7: 16 MiB come whole from an HTTP server behind wireguard-go, over IPv${family}`, options, async (t) => {
    const { far, go, plane } = await newPlane(t);
    const hash = await serve(far);
    assert.deepEqual(await fetchPage(plane, inner[family].far, go.publicKey), { hash, length: size });
  });
}

/** Loses so many of a hundred outer packets, both ways: what is lost is WireGuard's datagram, as on a bad line. */
function lose(far: Namespace, percent: number): void {
  const table = 'add table inet lossy; add chain inet lossy';
  far.exec('nft', `${table} in { type filter hook input priority 0; }`);
  far.exec('nft', `${table} out { type filter hook output priority 0; }`);
  for (const chain of ['in', 'out']) {
    far.exec('nft', `add rule inet lossy ${chain} meta l4proto udp numgen random mod 100 < ${percent} drop`);
  }
}

test('BR-7: 16 MiB come whole though the path loses one packet in fifty, both ways', options, async (t) => {
  const { far, go, plane } = await newPlane(t);
  const hash = await serve(far);
  lose(far, 2);
  assert.deepEqual(await fetchPage(plane, inner[4].far, go.publicKey), { hash, length: size });
});

test('QPT-6: 256 KiB go whole to a Linux server though the path loses one packet in five', options, async (t) => {
  const { far, go, plane } = await newPlane(t);
  await serve(far);
  const body = randomBytes(262_144);
  const socket = await plane.connect({ host: inner[4].far, port: 80, wireguardKey: go.publicKey });
  lose(far, 20);
  const answered = new Promise<string>((resolve, reject) => {
    const createConnection = () => socket as never;
    const host = inner[4].far;
    const sent = request({ host, method: 'POST', createConnection, headers: { connection: 'close' } }, (response) => {
      response.once('error', reject).once('data', (said: Buffer) => resolve(said.toString('utf8')));
    });
    sent.on('error', reject).end(body);
  });
  assert.equal(await answered, createHash('sha256').update(body).digest('hex'));
});

test('BR-7: without wireguard-go the service is not there', options, async (t) => {
  const { far, go, plane, device } = await newPlane(t);
  await serve(far);
  await fetchPage(plane, inner[4].far, go.publicKey);
  await go.stop();
  const signal = AbortSignal.timeout(2_000);
  const attempt = plane.connect({ host: inner[4].far, port: 80, wireguardKey: go.publicKey, signal });
  await assert.rejects(attempt, { name: 'TimeoutError' });
  assert.ok(device.counters.datagramsOut > 0);
});
