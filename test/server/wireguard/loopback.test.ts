/** The same devices over real UDP sockets and the real clock. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { type TestContext, test } from 'node:test';
import { type PeerConfig, WireGuardDevice } from '../../../server/wireguard/device.ts';
import { echoPacket } from './packets.ts';
import { addressA, addressB } from './pair.ts';

const payload = new Uint8Array(1000).fill(5);
const echo = (source: string, destination: string, sequence: number) =>
  echoPacket({ source, destination, sequence, payload });

async function newDevice(
  t: TestContext,
  host?: string,
): Promise<{ device: WireGuardDevice; port: number; key: string }> {
  const device = new WireGuardDevice({ privateKey: randomBytes(32) });
  t.after(() => device.close());
  const { port } = await device.listen(host === undefined ? { port: 0 } : { port: 0, host });
  return { device, port, key: Buffer.from(device.publicKey).toString('base64') };
}

/** The next `count` packets of a device. */
function packets(device: WireGuardDevice, count: number): Promise<Uint8Array[]> {
  return new Promise((resolve) => {
    const got: Uint8Array[] = [];
    device.onPacket = (packet) => {
      if (got.push(packet) === count) resolve(got);
    };
  });
}

async function exchange(
  t: TestContext,
  host: string | undefined,
  literal: string,
  more: Partial<PeerConfig> = {},
): Promise<void> {
  const a = await newDevice(t, host);
  const b = await newDevice(t, host);
  a.device.setPeer({ publicKey: b.key, allowedIps: [addressB], endpoint: `${literal}:${b.port}`, ...more });
  b.device.setPeer({ publicKey: a.key, allowedIps: [addressA], ...more });
  b.device.onPacket = () => {};
  const arrived = packets(b.device, 50);
  for (let n = 0; n < 50; n++) a.device.send(echo(addressA, addressB, n));
  const requests = await arrived;
  assert.deepEqual(
    requests.map(Buffer.from),
    Array.from({ length: 50 }, (_, n) => Buffer.from(echo(addressA, addressB, n))),
  );
  const answers = packets(a.device, 50);
  for (let n = 0; n < 50; n++) b.device.send(echo(addressB, addressA, n));
  assert.equal((await answers).length, 50);
}

test('BR-7: two devices speak over UDP on IPv4', (t) => exchange(t, '127.0.0.1', '127.0.0.1'));
test('BR-7: two devices speak over UDP on IPv6', (t) => exchange(t, '::1', '[::1]'));
test('two devices on all addresses speak over either family', async (t) => {
  await exchange(t, undefined, '127.0.0.1', { presharedKey: new Uint8Array(32).fill(8) });
  await exchange(t, undefined, '[::1]');
});
test('an endpoint may be a name', (t) => exchange(t, undefined, 'localhost'));

test('a port that is taken is refused with its code', async (t) => {
  const { port } = await newDevice(t, '127.0.0.1');
  const second = new WireGuardDevice({ privateKey: randomBytes(32) });
  t.after(() => second.close());
  await assert.rejects(second.listen({ port, host: '127.0.0.1' }), { code: 'port_taken' });
});

test('an endpoint that nobody can be reached at is counted, and the device lives on', async (t) => {
  const a = await newDevice(t, '127.0.0.1');
  const b = await newDevice(t, '127.0.0.1');
  // Port 0 of nothing: a family that the socket does not speak.
  a.device.setPeer({ publicKey: b.key, allowedIps: [addressB], endpoint: '[::1]:9' });
  a.device.send(echo(addressA, addressB, 0));
  assert.equal(a.device.counters.socketFailed, 1);
  b.device.setPeer({ publicKey: a.key, allowedIps: [addressA] });
  const arrived = packets(b.device, 1);
  a.device.removePeer(b.key);
  a.device.setPeer({ publicKey: b.key, allowedIps: [addressB], endpoint: `127.0.0.1:${b.port}` });
  a.device.send(echo(addressA, addressB, 1));
  assert.equal((await arrived).length, 1);
});

test('garbage on the UDP port is counted and the process lives on', async (t) => {
  const a = await newDevice(t, '127.0.0.1');
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  for (let n = 0; n < 200; n++) socket.send(randomBytes(n * 7), a.port, '127.0.0.1');
  while (a.device.counters.datagramsIn < 200) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(a.device.counters.datagramsOut, 0);
});
