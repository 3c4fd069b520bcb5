/** Pre-shared keys of a connector, through real devices and stacks over UDP on loopback. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../server/channel/system-clock.ts';
import { loadConfig } from '../../../server/config.ts';
import { GatewayPeer } from '../../../server/connector/gateway-peer.ts';
import { GatewayDataPlane } from '../../../server/gateway/data-plane.ts';
import { logger } from '../../../server/log.ts';
import { NetStack } from '../../../server/netstack/stack.ts';
import { pskPort } from '../../../server/psk/limits.ts';
import { WireGuardDevice } from '../../../server/wireguard/device.ts';

const address = '100.100.0.2';
const name = 'site';
const newKey = () => randomBytes(32).toString('base64');
const log = logger('test');
const config = loadConfig();

interface Gateway {
  readonly plane: GatewayDataPlane;
  readonly port: number;
}

async function newGateway(t: TestContext, pskRenewS: number, privateKey = randomBytes(32)): Promise<Gateway> {
  const plane = new GatewayDataPlane({
    config: { ...config, wireguard: { ...config.wireguard, pskRenewS } },
    privateKey: Uint8Array.from(privateKey),
    clock: systemClock,
    log,
  });
  t.after(() => plane.close());
  return { plane, port: (await plane.listen({ host: '127.0.0.1', port: 0 })).port };
}

/** An echo service on port 7. @param exchanges false for a WireGuard peer that knows nothing of ours. */
async function newConnector(t: TestContext, gateway: Gateway, firstKey: string | undefined, exchanges = true) {
  const device = new WireGuardDevice({ privateKey: randomBytes(32) });
  const { port } = await device.listen({ port: 0, host: '127.0.0.1' });
  const stack = new NetStack({ addresses: [address], output: (packet) => device.send(packet) });
  device.onPacket = (packet) => stack.input(packet);
  const peer = new GatewayPeer(device, log);
  if (exchanges) stack.listen({ port: pskPort }, (socket) => peer.exchange(socket));
  stack.listen({ port: 7 }, (socket) => void socket.on('error', () => {}).pipe(socket));
  peer.set(
    { publicKey: gateway.plane.publicKey, endpoint: `127.0.0.1:${gateway.port}`, allowedIps: ['100.100.0.1/32'] },
    firstKey,
  );
  t.after(async () => {
    peer.close();
    stack.close();
    await device.close();
  });
  return { peer, key: Buffer.from(device.publicKey).toString('base64'), endpoint: `127.0.0.1:${port}` };
}

type Connector = Awaited<ReturnType<typeof newConnector>>;

function know(gateway: Gateway, { key, endpoint }: Connector, firstKey: string | undefined, pskExchange = true): void {
  gateway.plane.setPresharedKeys(firstKey === undefined ? {} : { [key]: firstKey });
  gateway.plane.setPeers([{ publicKey: key, allowedIps: [`${address}/32`], endpoint, name, pskExchange }]);
}

const target = ({ key }: Connector) => ({ host: address, port: 7, wireguardKey: key });

async function echo(gateway: Gateway, connector: Connector): Promise<void> {
  const socket = await gateway.plane.connect(target(connector), AbortSignal.timeout(20_000));
  const payload = randomBytes(100_000);
  socket.end(payload);
  assert.deepEqual(Buffer.concat(await socket.toArray()), payload);
}

test('QHX-11: a connection to a connector waits for the first exchange, and then for the session under its key', async (t) => {
  const gateway = await newGateway(t, 120);
  const first = newKey();
  const connector = await newConnector(t, gateway, first);
  know(gateway, connector, first);
  assert.equal(gateway.plane.keyStatus(connector.key)?.epoch, 0n);
  await echo(gateway, connector);
  assert.equal(gateway.plane.keyStatus(connector.key)?.epoch, 1n);
});

test('QHX-11: a connection stays open while keys are exchanged anew', async (t) => {
  const gateway = await newGateway(t, 1);
  const first = newKey();
  const connector = await newConnector(t, gateway, first);
  know(gateway, connector, first);
  const socket = await gateway.plane.connect(target(connector), AbortSignal.timeout(20_000));
  while ((gateway.plane.keyStatus(connector.key)?.epoch ?? 0n) < 4n) {
    socket.write('x');
    await once(socket, 'data');
  }
  socket.destroy();
});

test('QHX-4: a peer that should exchange keys and does not gets no connection', async (t) => {
  const gateway = await newGateway(t, 120);
  const first = newKey();
  const connector = await newConnector(t, gateway, first, false);
  know(gateway, connector, first);
  await assert.rejects(gateway.plane.connect(target(connector), AbortSignal.timeout(1_500)), { name: 'TimeoutError' });
  assert.throws(() => gateway.plane.openUdp(target(connector)), { code: 'EHOSTUNREACH' });
});

test('QHX-11: a peer of another make works as it is, and is known to exchange nothing', async (t) => {
  const gateway = await newGateway(t, 120);
  const other = await newConnector(t, gateway, undefined, false);
  know(gateway, other, undefined, false);
  await echo(gateway, other);
  assert.equal(gateway.plane.keyStatus(other.key), undefined);
});

test('QHX-11: a connector that starts again, and a gateway that does, are reached again with a new first key', async (t) => {
  const privateKey = randomBytes(32);
  const gateway = await newGateway(t, 120, privateKey);
  const first = newKey();
  const connector = await newConnector(t, gateway, first);
  know(gateway, connector, first);
  await echo(gateway, connector);
  const second = newKey();
  const other = await newConnector(t, gateway, second);
  know(gateway, other, second);
  await echo(gateway, other);
  await gateway.plane.close();
  const again = await newGateway(t, 120, privateKey);
  const third = newKey();
  other.peer.set(
    { publicKey: again.plane.publicKey, endpoint: `127.0.0.1:${again.port}`, allowedIps: ['100.100.0.1/32'] },
    third,
  );
  know(again, other, third);
  await echo(again, other);
});
