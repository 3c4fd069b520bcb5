/** Garbage on the UDP port and on the WebSocket: counted, dropped, and nobody else is disturbed. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { it } from 'node:test';
import type { WebSocket } from 'ws';
import type { Carrier } from '../../../protocol/carrier.ts';
import { encodeMessage } from '../../../protocol/frames.ts';
import { transportLimits } from '../../../server/transport/limits.ts';
import { echoCarrier } from './support/echo.ts';
import { origin, startQuiche, startWebSocket } from './support/engines.ts';
import { connectQuic, H3Client } from './support/h3-client.ts';
import { Random, record } from './support/random.ts';
import { connectWs } from './support/ws-client.ts';

const datagrams = 3_000;

it('BR-6: garbage on the UDP port is counted and dropped while a session goes on', async () => {
  const random = new Random();
  const server = await startQuiche((carrier) => void echoCarrier(carrier));
  // Real packets to spoil: of a handshake, and of the very session that must survive.
  const samples: Uint8Array[] = [];
  const keep = (packet: Uint8Array) => void samples.push(packet.slice());
  const carrier = await connectQuic(server.port, origin, { onSend: keep });
  await echoOnce(carrier, 2n);
  const socket = createSocket('udp4');
  for (let i = 0; i < datagrams; i++) socket.send(garbage(random, samples), server.port, '127.0.0.1');
  await echoOnce(carrier, 4n);
  await other(server.port);
  assert.ok(
    server.transport.counters.dropped > datagrams / 4,
    `seed ${random.seed}: ${server.transport.counters.dropped}`,
  );
  assert.equal(server.transport.counters.accepted, 2);
  socket.close();
  carrier.close();
  await server.stop();
});

it('a thousand first packets from a peer that never answers the Retry leave nothing behind', async () => {
  const server = await startQuiche((carrier) => void echoCarrier(carrier));
  let initial: Uint8Array | undefined;
  const client = await H3Client.dial(server.port, { onSend: (packet) => (initial ??= packet.slice()) });
  await client.established;
  const socket = createSocket('udp4');
  let retries = 0;
  const answered = Promise.withResolvers<void>();
  socket.on('message', (packet) => {
    // Retry: long header, type 3; each is shorter than what asked for it.
    assert.equal(packet[0]! & 0xf0, 0xf0);
    assert.ok(packet.length < initial!.length);
    retries += 1;
    if (retries === 100) answered.resolve();
  });
  for (let i = 0; i < 1_000; i++) socket.send(initial!, server.port, '127.0.0.1');
  await answered.promise;
  assert.equal(server.transport.counters.accepted, 0);
  assert.equal(server.transport.connections, 1);
  socket.close();
  await client.close();
  await server.stop();
});

it('a client that never asks for a session is let go', async (test) => {
  test.mock.timers.enable({ apis: ['setTimeout'] });
  const server = await startQuiche(() => assert.fail('a carrier was made'));
  const client = await H3Client.dial(server.port);
  await client.established;
  test.mock.timers.tick(transportLimits.sessionDeadlineMs);
  test.mock.timers.reset();
  await client.closed;
  await client.close();
  await server.stop();
});

/** Who has heard nothing from us is cut off without a close frame; `ws` and browsers call that 1006. */
const cutOff = 1006;
const webSocketOffences: readonly [what: string, act: (webSocket: WebSocket) => void, closeCode: number][] = [
  ['text', (webSocket) => webSocket.send('hello'), 1003],
  ['a message too short for an id', (webSocket) => webSocket.send(new Uint8Array(7)), cutOff],
  [
    'a message whose content is no frame',
    (webSocket) => webSocket.send(encodeMessage(2n, new Uint8Array(20).fill(0x99))),
    cutOff,
  ],
  [
    'a message with a frame and a byte more',
    (webSocket) => webSocket.send(encodeMessage(2n, new Uint8Array([0x17, 0, 0, 1, 1, 1]))),
    cutOff,
  ],
  [
    'a message beyond all bounds',
    (webSocket) => webSocket.send(new Uint8Array(transportLimits.messageBytes + 1)),
    1009,
  ],
  ['more channels than anybody needs', (webSocket) => openMany(webSocket), 1000],
];

for (const [what, act, closeCode] of webSocketOffences) {
  it(`BR-6: a WebSocket that sends ${what} is closed and counted, and no other`, async () => {
    const server = await startWebSocket((carrier) => void echoCarrier(carrier));
    const bystander = await connectWs(server.port, origin);
    const offender = await connectWs(server.port, origin);
    act(offender.webSocket);
    const [code] = await once(offender.webSocket, 'close');
    assert.equal(code, closeCode);
    assert.equal(server.transport.counters.malformed, 1);
    await echoOnce(bystander, 2n);
    bystander.close();
    await server.stop();
  });
}

it('BR-6: bytes that are no WebSocket frame close that socket only', async () => {
  const random = new Random();
  const server = await startWebSocket((carrier) => void echoCarrier(carrier));
  const bystander = await connectWs(server.port, origin);
  for (let i = 0; i < 50; i++) {
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `GET /tunnel HTTP/1.1\r\nHost: x\r\nOrigin: ${origin}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    await once(socket, 'data');
    socket.end(random.bytes(1 + random.below(3_000)));
    await once(socket.resume(), 'close');
  }
  await echoOnce(bystander, 2n);
  bystander.close();
  await server.stop();
});

it('BR-6: a WebSocket at another path is answered 404', async () => {
  const server = await startWebSocket(() => assert.fail('a carrier was made'));
  for (const path of ['/', '/tunnel/', '/tunnel?x', '/TUNNEL']) {
    await assert.rejects(connectWs(server.port, origin, path), { code: 'refused', status: '404' });
  }
  assert.equal(server.transport.counters.refused, 4);
  await server.stop();
});

it('a WebSocket upgrade without an origin is answered 403', async () => {
  const server = await startWebSocket(() => assert.fail('a carrier was made'));
  const upgrade = request({
    port: server.port,
    path: '/tunnel',
    headers: { connection: 'upgrade', upgrade: 'websocket' },
  });
  upgrade.end();
  const [response] = await once(upgrade, 'response');
  assert.equal(response.statusCode, 403);
  response.resume();
  await server.stop();
});

it('a late message on a channel that was aborted is dropped without a word', async () => {
  const arrived = Promise.withResolvers<Carrier>();
  const server = await startWebSocket((carrier) => arrived.resolve(carrier));
  const client = await connectWs(server.port, origin);
  const channel = client.open(2n);
  await channel.send(record(new Uint8Array(1)));
  const carrier = await arrived.promise;
  const far = (await carrier.accept())!;
  far.abort();
  client.webSocket.send(encodeMessage(2n, record(new Uint8Array(1))));
  client.webSocket.send(encodeMessage(4n, record(new Uint8Array(2))));
  assert.equal((await carrier.accept())?.streamId, 4n);
  assert.equal(server.transport.counters.malformed, 0);
  client.close();
  await server.stop();
});

function openMany(webSocket: WebSocket): void {
  for (let i = 0; i <= transportLimits.webSocketChannels; i++) {
    webSocket.send(encodeMessage(BigInt(2 * i + 2), record(new Uint8Array(1))));
  }
}

/** Noise, or a real packet with some bytes changed, cut, or doubled. */
function garbage(random: Random, samples: readonly Uint8Array[]): Uint8Array {
  if (random.below(3) === 0) return random.bytes(1 + random.below(1_500));
  const packet = samples[random.below(samples.length)]!.slice();
  for (let i = random.below(4); i >= 0; i--) packet[random.below(packet.length)]! ^= 1 + random.below(255);
  return random.below(4) === 0 ? packet.subarray(0, 1 + random.below(packet.length)) : packet;
}

async function echoOnce(carrier: Carrier, id: bigint): Promise<void> {
  const channel = carrier.open(id);
  const frame = record(new Uint8Array(10_000).fill(7));
  for (let i = 0; i < 20; i++) {
    await channel.send(frame);
    assert.deepEqual(Buffer.from((await channel.receive())!), Buffer.from(frame));
  }
  channel.finish();
}

/** A newcomer is still served. */
async function other(port: number): Promise<void> {
  const carrier = await connectQuic(port, origin);
  await echoOnce(carrier, 2n);
  carrier.close();
}
