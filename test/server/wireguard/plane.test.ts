/** Connections through two devices and two stacks, over UDP on loopback. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import type { TcpSocket } from '../../../server/netstack/socket.ts';
import { NetStack } from '../../../server/netstack/stack.ts';
import { WireGuardDevice } from '../../../server/wireguard/device.ts';
import { DataPlane } from '../../../server/wireguard/plane.ts';
import { addressA, addressB, publicKeyOf } from './pair.ts';

interface Host {
  readonly device: WireGuardDevice;
  readonly plane: DataPlane;
  readonly key: string;
  readonly port: number;
}

async function newHost(t: TestContext, addresses: string[]): Promise<Host> {
  const device = new WireGuardDevice({ privateKey: randomBytes(32) });
  const stack = new NetStack({ addresses, output: (packet) => device.send(packet) });
  const plane = new DataPlane({ device, stack });
  const { port } = await device.listen({ port: 0, host: '127.0.0.1' });
  t.after(() => {
    stack.close();
    return device.close();
  });
  return { device, plane, key: Buffer.from(device.publicKey).toString('base64'), port };
}

/** A client that knows where its server is, and an echo service on port 7. */
async function newHosts(
  t: TestContext,
): Promise<{ client: Host; server: Host; seen: { key: string; socket: TcpSocket }[] }> {
  const client = await newHost(t, [addressA, 'fd00::1']);
  const server = await newHost(t, [addressB, 'fd00::2']);
  client.device.setPeer({
    publicKey: server.key,
    allowedIps: [addressB, 'fd00::2'],
    endpoint: `127.0.0.1:${server.port}`,
  });
  server.device.setPeer({ publicKey: client.key, allowedIps: [addressA, 'fd00::1'] });
  const seen: { key: string; socket: TcpSocket }[] = [];
  server.plane.listen({ port: 7 }, (socket, key) => {
    seen.push({ key, socket });
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  return { client, server, seen };
}

const otherKey = publicKeyOf(new Uint8Array(32).fill(3));

for (const host of [addressB, 'fd00::2']) {
  test(`BR-7: a connection to ${host} reaches the service behind the expected key, which learns ours`, async (t) => {
    const { client, server, seen } = await newHosts(t);
    const socket = await client.plane.connect({ host, port: 7, wireguardKey: server.key });
    const payload = randomBytes(200_000);
    socket.end(payload);
    const back = await socket.toArray();
    assert.deepEqual(Buffer.concat(back), payload);
    assert.deepEqual(
      seen.map(({ key }) => key),
      [client.key],
    );
  });
}

test('BR-7: the same address behind another WireGuard key is refused before a packet is sent', async (t) => {
  const { client } = await newHosts(t);
  const attempt = client.plane.connect({ host: addressB, port: 7, wireguardKey: otherKey });
  await assert.rejects(attempt, { code: 'EWRONGPEER' });
  assert.equal(client.device.counters.datagramsOut, 0);
});

test('an address that leads to no peer, and text that is none, are refused likewise', async (t) => {
  const { client, server } = await newHosts(t);
  for (const host of ['10.99.0.1', 'fd99::1', 'localhost', '']) {
    const attempt = client.plane.connect({ host, port: 7, wireguardKey: server.key });
    await assert.rejects(attempt, { code: 'EWRONGPEER' });
  }
});

test('a connection is cut when its address is given to another key', async (t) => {
  const { client, server } = await newHosts(t);
  const socket = await client.plane.connect({ host: addressB, port: 7, wireguardKey: server.key });
  const failed = once(socket, 'error');
  client.device.setPeer({ publicKey: otherKey, allowedIps: [addressB] });
  const [failure] = await failed;
  assert.equal(failure.code, 'EWRONGPEER');
});

test('an attempt under way is cut when its peer is removed', async (t) => {
  const { client } = await newHosts(t);
  client.device.setPeer({ publicKey: otherKey, allowedIps: ['10.7.0.9'], endpoint: '127.0.0.1:9' });
  const attempt = client.plane.connect({ host: '10.7.0.9', port: 7, wireguardKey: otherKey });
  client.device.removePeer(otherKey);
  await assert.rejects(attempt, { code: 'EWRONGPEER' });
});

test('an accepted connection is cut when its peer is removed', async (t) => {
  const { client, server, seen } = await newHosts(t);
  const socket = await client.plane.connect({ host: addressB, port: 7, wireguardKey: server.key });
  socket.on('error', () => {});
  socket.write('x');
  await once(socket, 'data');
  const accepted = seen[0]!.socket;
  const failed = once(accepted, 'error');
  server.device.removePeer(client.key);
  const [failure] = await failed;
  assert.equal(failure.code, 'EWRONGPEER');
});

test('a change of routes that concerns others leaves connections alone', async (t) => {
  const { client, server } = await newHosts(t);
  const socket = await client.plane.connect({ host: addressB, port: 7, wireguardKey: server.key });
  client.device.setPeer({ publicKey: otherKey, allowedIps: ['10.8.0.0/16'] });
  client.device.removePeer(otherKey);
  socket.write('still here');
  const [data] = await once(socket, 'data');
  assert.equal(Buffer.from(data).toString('utf8'), 'still here');
  socket.destroy();
});

test('a caller that gives up ends the attempt with its own reason', async (t) => {
  const { client } = await newHosts(t);
  client.device.setPeer({ publicKey: otherKey, allowedIps: ['10.7.0.9'], endpoint: '127.0.0.1:9' });
  const abort = new AbortController();
  const attempt = client.plane.connect({ host: '10.7.0.9', port: 7, wireguardKey: otherKey, signal: abort.signal });
  const reason = new Error('changed my mind');
  abort.abort(reason);
  await assert.rejects(attempt, (failure) => failure === reason);
});

test('a port where nothing listens refuses with the code of node:net', async (t) => {
  const { client, server } = await newHosts(t);
  const attempt = client.plane.connect({ host: addressB, port: 8, wireguardKey: server.key });
  await assert.rejects(attempt, { code: 'ECONNREFUSED' });
});
