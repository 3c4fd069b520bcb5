import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Header, ResponseHead } from '../../../../protocol/exchange/http.ts';
import {
  decodeClose,
  encodeCloseMessage,
  encodeWebSocketMessage,
  encodeWebSocketMessageHeader,
  opcode,
  type WebSocketMessage,
  WebSocketMessageReader,
} from '../../../../protocol/exchange/websocket.ts';
import { serveWebSocket } from '../../../../server/gateway/bridge/websocket-exchange.ts';
import { context, values } from '../exchange/support.ts';
import { correlation, type Fixture, fixture, listen } from './fixture.ts';
import { StreamPair } from './stream-pair.ts';

interface Service {
  readonly to: Fixture;
  readonly upgrades: IncomingMessage[];
  readonly sockets: Socket[];
}

/** A WebSocket service; `onSocket` gets each connection. */
async function service(
  onSocket: (socket: WebSocket, request: IncomingMessage) => void,
  over: { headers?: string[]; status?: number } & Parameters<typeof fixture>[1] = {},
): Promise<Service> {
  const upgrades: IncomingMessage[] = [];
  const sockets: Socket[] = [];
  const server = createServer((_request, response) => response.writeHead(over.status ?? 426).end('no'));
  const webSockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [...offered][0] ?? false });
  webSockets.on('headers', (headers) => headers.push(...(over.headers ?? [])));
  server.on('connection', (socket) => sockets.push(socket));
  if (over.status === undefined)
    server.on('upgrade', (request, socket, head) => {
      upgrades.push(request);
      webSockets.handleUpgrade(request, socket, head, (webSocket) => onSocket(webSocket, request));
    });
  return { to: fixture(await listen(server), over), upgrades, sockets };
}

/** The client's end of one WebSocket through the bridge. */
class Client {
  readonly pair = new StreamPair();
  readonly outcome: ReturnType<typeof serveWebSocket>;
  readonly #reader = new WebSocketMessageReader();

  constructor(to: Fixture) {
    this.outcome = serveWebSocket(this.pair.gateway, to.deps);
    this.outcome.catch(() => undefined);
  }

  async open(target = '/echo', headers: Header[] = []): Promise<ResponseHead> {
    await this.pair.sendHead('GET', target, headers);
    const { rest, ...head } = await this.pair.readHead();
    this.#reader.push(rest);
    return head;
  }

  send(text: string): Promise<void> {
    return this.pair.write(encodeWebSocketMessage(opcode.text, Buffer.from(text)));
  }

  async next(): Promise<WebSocketMessage> {
    for (;;) {
      const message = this.#reader.next();
      if (message !== undefined) return message;
      const chunk = await this.pair.read();
      assert.notEqual(chunk, null, 'the stream ended');
      this.#reader.push(chunk!);
    }
  }

  async close(code: number | undefined, reason = ''): Promise<void> {
    await this.pair.write(encodeCloseMessage({ code, reason }));
  }
}

const echo = (socket: WebSocket) =>
  socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }));

test('BR-1: carries messages both ways and says which protocol was agreed on', async () => {
  const { to, upgrades } = await service(echo);
  const client = new Client(to);
  const head = await client.open('/echo?a=b', [
    ['sec-websocket-protocol', 'v2, v1'],
    ['x-app', '1'],
  ]);
  assert.equal(head.status, 101);
  assert.deepEqual(values(head.headers, 'sec-websocket-protocol'), ['v2']);
  assert.deepEqual(head.headers.filter(([name]) => name.startsWith('sec-websocket-') || name === 'upgrade').length, 1);
  await client.send('gr\u00fc\u00df dich');
  const text = await client.next();
  assert.equal(text.opcode, opcode.text);
  assert.equal(Buffer.from(text.payload).toString(), 'gr\u00fc\u00df dich');
  await client.pair.write(encodeWebSocketMessage(opcode.binary, Buffer.from([0, 255])));
  const binary = await client.next();
  assert.deepEqual([binary.opcode, ...binary.payload], [opcode.binary, 0, 255]);
  await client.close(1000);
  assert.equal(upgrades[0]?.url, '/echo?a=b');
  assert.equal(upgrades[0]?.headers.origin, context.publicOrigin);
  assert.equal(upgrades[0]?.headers['x-latchkey-user'], 'ada');
  assert.equal(upgrades[0]?.headers['x-app'], '1');
  assert.deepEqual(to.judged, [{ method: 'WEBSOCKET', target: '/echo?a=b' }]);
});

const closes: [code: number | undefined, reason: string][] = [
  [1000, ''],
  [1001, 'bye'],
  [3000, 'gr\u00fc\u00df'],
  [4999, 'x'.repeat(123)],
  [undefined, ''],
];

for (const [code, reason] of closes)
  test(`BR-1: passes the close code ${code} both ways`, async () => {
    const heard = Promise.withResolvers<[number, string]>();
    const fromClient = await service((socket) => socket.on('close', (...[c, r]) => heard.resolve([c, r.toString()])));
    const client = new Client(fromClient.to);
    await client.open();
    await client.close(code, reason);
    client.pair.finish();
    assert.deepEqual(await heard.promise, [code ?? 1005, reason]);
    // The service's own close frame comes back as the answer.
    assert.deepEqual(decodeClose((await client.next()).payload).code, code);
    await client.outcome;

    const fromService = await service((socket) => (code === undefined ? socket.close() : socket.close(code, reason)));
    const other = new Client(fromService.to);
    await other.open();
    const message = await other.next();
    assert.equal(message.opcode, opcode.close);
    assert.deepEqual(decodeClose(message.payload), { code, reason });
    other.pair.finish();
    await other.outcome;
  });

test('BR-7: a service that dies makes a reset, never a close', async () => {
  const { to, sockets } = await service((socket) => socket.send('last words'));
  const client = new Client(to);
  await client.open();
  assert.equal(Buffer.from((await client.next()).payload).toString(), 'last words');
  for (const socket of sockets) socket.resetAndDestroy();
  await assert.rejects(client.next(), { code: 'upstream_failed' });
});

test('BR-1: answers pings of the service without the client hearing of them', async () => {
  const ponged = Promise.withResolvers<string>();
  const { to } = await service((socket) => {
    socket.on('pong', (data) => {
      ponged.resolve(data.toString());
      socket.send('after');
    });
    socket.ping('are you there');
  });
  const client = new Client(to);
  await client.open();
  assert.equal(await ponged.promise, 'are you there');
  assert.equal(Buffer.from((await client.next()).payload).toString(), 'after');
  client.pair.reset('cancelled');
});

test('BR-1: a client that leaves without a word is told to the service as going away', async () => {
  const left = Promise.withResolvers<number>();
  const { to } = await service((socket) => socket.on('close', (code) => left.resolve(code)));
  const client = new Client(to);
  await client.open();
  client.pair.finish();
  assert.equal(await left.promise, 1001);
});

test('BR-1: a client that is cut ends the connection to the service', async () => {
  const left = Promise.withResolvers<number>();
  const { to } = await service((socket) => socket.on('close', (code) => left.resolve(code)));
  const client = new Client(to);
  await client.open();
  client.pair.reset('cancelled');
  assert.equal(await left.promise, 1006);
});

test('BR-1: cookies of the jar go up with the upgrade, and new ones are kept and mirrored', async () => {
  const { to, upgrades } = await service(echo, { headers: ['Set-Cookie: ws=1; HttpOnly', 'Set-Cookie: seen=2'] });
  to.jar.store(
    ['sid=s'],
    { method: 'GET', target: '/', site: 'same-origin', mode: undefined, scriptCookies: undefined },
    [],
  );
  const client = new Client(to);
  const head = await client.open();
  assert.equal(upgrades[0]?.headers.cookie, 'sid=s');
  assert.deepEqual(values(head.headers, ':set-cookie'), ['seen=2; Path=/']);
  assert.doesNotMatch(JSON.stringify(head), /ws=1/);
  assert.equal(to.saves(), 1);
  client.pair.reset('cancelled');
});

test('BR-1: a refused upgrade keeps its status and ends', async () => {
  const { to } = await service(echo, { status: 401 });
  const client = new Client(to);
  const head = await client.open();
  assert.equal(head.status, 401);
  assert.equal(await client.pair.read(), null);
});

test('QHX-6: a denied upgrade never reaches the service and names its correlation id', async () => {
  const { to, upgrades } = await service(echo, { deny: true });
  const client = new Client(to);
  const head = await client.open();
  assert.deepEqual(head, {
    status: 403,
    headers: [
      [':error', 'denied'],
      [':correlation', correlation],
    ],
  });
  assert.equal(upgrades.length, 0);
  await assert.rejects(client.outcome, { code: 'denied' });
});

test('QPT-9: refuses close codes nobody may send, unknown opcodes and half a message', async () => {
  const bad: [Uint8Array, string][] = [
    [encodeCloseMessage({ code: 1005, reason: '' }), 'protocol'],
    [encodeCloseMessage({ code: 5000, reason: '' }), 'protocol'],
    [Buffer.from([9, 0, 0, 0, 0]), 'protocol'],
    [Buffer.from([2, 255, 255, 255, 255]), 'protocol'],
    [Buffer.from([1, 0, 0, 0, 5, 65]), 'truncated'],
  ];
  for (const [bytes, code] of bad) {
    const { to } = await service(echo);
    const client = new Client(to);
    await client.open();
    await client.pair.write(bytes);
    client.pair.finish();
    await assert.rejects(client.outcome);
    assert.equal(client.pair.resetBy?.code, code);
  }
});

test('BR-1: a message of 16 MiB arrives whole, in pieces of any size, both ways', async () => {
  const { to } = await service(echo);
  const client = new Client(to);
  await client.open();
  const payload = randomBytes(16 << 20);
  const answer = client.next();
  await client.pair.write(encodeWebSocketMessageHeader(opcode.binary, payload.length));
  for (let at = 0; at < payload.length; at += 50_001) await client.pair.write(payload.subarray(at, at + 50_001));
  const { payload: back } = await answer;
  assert.ok(payload.equals(back));
  client.pair.reset('cancelled');
});

test('BR-1: many messages in a burst keep their order, and a slow client slows the service', async () => {
  const count = 20_000;
  const talk = async (socket: WebSocket) => {
    for (let i = 0; i < count; i++) {
      const sent = new Promise((resolve) => socket.send(`message ${i} ${'x'.repeat(100)}`, resolve));
      if (i % 100 === 0) await sent;
    }
    socket.close(1000);
  };
  const { to } = await service((socket) => void talk(socket));
  const client = new Client(to);
  await client.open();
  for (let i = 0; i < count; i++) {
    const message = await client.next();
    if (!Buffer.from(message.payload).toString().startsWith(`message ${i} `)) assert.fail(`message ${i} is missing`);
    if (i % 1_000 === 0) assert.ok(client.pair.down.buffered < 1 << 20);
  }
  assert.equal((await client.next()).opcode, opcode.close);
});
