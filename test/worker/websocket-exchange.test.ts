import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, utf8 } from '../../protocol/bytes.ts';
import { encodeResponseHead, type Header } from '../../protocol/exchange/http.ts';
import {
  decodeClose,
  encodeCloseMessage,
  encodeWebSocketMessage,
  opcode,
  type WebSocketMessage,
  WebSocketMessageReader,
} from '../../protocol/exchange/websocket.ts';
import { maxCreditBytes } from '../../protocol/limits.ts';
import type { Stream } from '../../protocol/stream.ts';
import {
  type CookieQuestion,
  type FromTunnel,
  messageWindowBytes,
  type ToTunnel,
  type WebSocketFromTunnel,
  type WebSocketToTunnel,
} from '../../worker/app-messages.ts';
import { AppServer } from '../../worker/tunnel/app-server.ts';
import { Arrivals } from '../protocol/session/pair.ts';
import { FakeClock, settled } from '../support/fake-clock.ts';
import { hidden, readHead, TestTunnel } from './app-side.ts';

/** A page's WebSocket that asked for a connection, and the gateway's stream of it. */
async function begin(protocols: string[] = []) {
  const tunnel = await TestTunnel.start();
  const { port1, port2 } = new MessageChannel();
  new AppServer(tunnel, new FakeClock()).serve(port2, { kind: 'websocket' });
  const heard = new Arrivals<WebSocketFromTunnel>();
  port1.onmessage = (event: MessageEvent<WebSocketFromTunnel>) => heard.push(event.data);
  const say = (message: WebSocketToTunnel | object) => port1.postMessage(message);
  say({ t: 'connect', target: '/socket', protocols });
  const stream = await tunnel.accept();
  const { head } = await readHead(stream);
  return { tunnel, heard, say, stream, head, port1 };
}

async function upgraded(headers: Header[] = []) {
  const begun = await begin();
  await begun.stream.write(encodeResponseHead({ status: 101, headers }));
  assert.equal((await begun.heard.next()).t, 'open');
  return begun;
}

async function nextMessage(stream: Stream): Promise<WebSocketMessage> {
  const reader = new WebSocketMessageReader();
  for (;;) {
    const found = reader.next();
    if (found !== undefined) return found;
    reader.push((await stream.read()) ?? new Uint8Array(0));
  }
}

const message = (text: string) => encodeWebSocketMessage(opcode.text, utf8(text));

test('a page’s WebSocket goes out as an upgrade of its own origin, and tells the chosen subprotocol', async () => {
  const { tunnel, heard, stream, head, port1 } = await begin(['one', 'two']);
  assert.deepEqual(head, {
    method: 'GET',
    target: '/socket',
    headers: [
      ...hidden,
      ['origin', 'http://wiki.apps.localhost'],
      ['user-agent', navigator.userAgent],
      ['accept-language', 'en-US'],
      ['sec-websocket-protocol', 'one, two'],
    ],
  });
  await stream.write(encodeResponseHead({ status: 101, headers: [['sec-websocket-protocol', 'two']] }));
  assert.deepEqual(await heard.next(), { t: 'open', protocol: 'two' });
  port1.close();
  await tunnel.end();
});

test('messages go both ways as they are, byte order marks and empty ones too', async () => {
  const { tunnel, heard, say, stream, port1 } = await upgraded();
  say({ t: 'send', data: '\ufeffhello' });
  assert.deepEqual(await nextMessage(stream), { opcode: opcode.text, payload: utf8('\ufeffhello') });
  assert.deepEqual(await heard.next(), { t: 'sent', bytes: 8 });
  say({ t: 'send', data: Uint8Array.of(1, 2).buffer });
  assert.deepEqual(await nextMessage(stream), { opcode: opcode.binary, payload: Uint8Array.of(1, 2) });
  assert.deepEqual(await heard.next(), { t: 'sent', bytes: 2 });
  await stream.write(
    concat(message('\ufeffback'), message(''), encodeWebSocketMessage(opcode.binary, Uint8Array.of(9))),
  );
  assert.deepEqual(await heard.next(), { t: 'message', data: '\ufeffback' });
  assert.deepEqual(await heard.next(), { t: 'message', data: '' });
  assert.deepEqual(await heard.next(), { t: 'message', data: Uint8Array.of(9).buffer });
  port1.close();
  await tunnel.end();
});

test('a close of the page reaches the service, and the service’s answer ends it cleanly', async () => {
  const { tunnel, heard, say, stream } = await upgraded();
  say({ t: 'close', code: 4001, reason: 'bye' });
  const close = await nextMessage(stream);
  assert.deepEqual(
    concat(encodeWebSocketMessage(close.opcode, close.payload)),
    encodeCloseMessage({ code: 4001, reason: 'bye' }),
  );
  await stream.write(encodeCloseMessage({ code: 4001, reason: 'bye' }));
  assert.deepEqual(await heard.next(), { t: 'closed', code: 4001, reason: 'bye', clean: true });
  // An end and not a reset: the gateway must not think that the page was torn away.
  assert.equal(await stream.read(), null);
  await stream.finish();
  await stream.closed;
  await tunnel.end();
});

test('a close without a code is 1005 to the page', async () => {
  const { tunnel, heard, stream } = await upgraded();
  await stream.write(encodeCloseMessage({ code: undefined, reason: '' }));
  assert.deepEqual(await heard.next(), { t: 'closed', code: 1005, reason: '', clean: true });
  await tunnel.end();
});

const broken = { t: 'closed', code: 1006, reason: '', clean: false };
const failures: Record<string, (stream: Stream, tunnel: TestTunnel) => Promise<unknown> | unknown> = {
  'an answer other than 101': (stream) => stream.write(encodeResponseHead({ status: 403, headers: [] })),
  'an end in mid-air': (stream) => stream.finish(),
  'a reset': (stream) => stream.reset('upstream_failed'),
  'a lost session': (_stream, tunnel) => tunnel.lose(),
  'bytes that are no message': async (stream) => {
    await stream.write(encodeResponseHead({ status: 101, headers: [] }));
    await stream.write(Uint8Array.of(7, 0, 0, 0, 0));
  },
};
for (const [what, cause] of Object.entries(failures))
  test(`${what} is a connection that broke`, async () => {
    const { heard, stream, tunnel } = await begin();
    await cause(stream, tunnel);
    let last = await heard.next();
    if (last.t === 'open') last = await heard.next();
    assert.deepEqual(last, broken);
  });

test('a page that does not keep up holds the service back, and then gets everything', async () => {
  const { tunnel, heard, say, stream, port1 } = await upgraded();
  const size = 256 * 1024;
  const count = 128;
  let written = 0;
  const writing = (async () => {
    for (let i = 0; i < count; i += 1) {
      await stream.write(encodeWebSocketMessage(opcode.binary, new Uint8Array(size).fill(i)));
      written += size;
    }
  })();
  for (let i = 0; i < 50; i += 1) await settled();
  // What the page has not taken, and behind it one stream's window at its largest.
  assert.ok(written <= messageWindowBytes + maxCreditBytes + size, `${written} bytes left the service`);
  for (let i = 0; i < count; i += 1) {
    const got = await heard.next();
    assert.ok(got.t === 'message' && got.data instanceof ArrayBuffer && new Uint8Array(got.data)[0] === i);
    say({ t: 'taken', bytes: size });
  }
  await writing;
  port1.close();
  await tunnel.end();
});

test('a socket closed while the stream is being opened leaves no stream', async () => {
  const tunnel = await TestTunnel.start();
  const { port1, port2 } = new MessageChannel();
  new AppServer(tunnel, new FakeClock()).serve(port2, { kind: 'websocket' });
  const heard = new Arrivals<WebSocketFromTunnel>();
  port1.onmessage = (event: MessageEvent<WebSocketFromTunnel>) => heard.push(event.data);
  port1.postMessage({ t: 'connect', target: '/socket', protocols: [] });
  port1.postMessage({ t: 'close', code: 1001, reason: '' });
  assert.deepEqual(await heard.next(), broken);
  await (await tunnel.accept()).closed;
  await tunnel.end();
});

test('a worker that ends leaves its sockets, and no others, as going away', async () => {
  const tunnel = await TestTunnel.start();
  const server = new AppServer(tunnel, new FakeClock());
  const connect = async (lock: string | undefined) => {
    const { port1, port2 } = new MessageChannel();
    server.serve(port2, { kind: 'websocket', lock });
    port1.postMessage({ t: 'connect', target: '/socket', protocols: [] });
    const stream = await tunnel.accept();
    await readHead(stream);
    return { stream, port: port1 };
  };
  const [gone, other, page] = [await connect('one'), await connect('another'), await connect(undefined)];
  server.workerGone('nobody');
  server.workerGone('one');
  // The browser may tell of its port too, and a page that is left says so itself.
  server.workerGone('one');
  gone.port.postMessage({ t: 'close', code: 1001, reason: '' });
  const heardEnd = async (stream: Stream) => decodeClose((await nextMessage(stream)).payload);
  assert.deepEqual(await heardEnd(gone.stream), { code: 1001, reason: '' });
  for (const { port, stream } of [other, page]) {
    port.postMessage({ t: 'close', code: 4000, reason: '' });
    assert.deepEqual(await heardEnd(stream), { code: 4000, reason: '' });
  }
  // Nothing more was said: what comes back is the end of it.
  await gone.stream.write(encodeResponseHead({ status: 101, headers: [] }));
  await gone.stream.write(encodeCloseMessage({ code: 1001, reason: '' }));
  assert.equal(await gone.stream.read(), null);
  for (const { port } of [gone, other, page]) port.close();
  await tunnel.end();
});

test('a page that is left with messages untaken holds its stream no longer than the service', async () => {
  const { tunnel, stream, say, port1 } = await upgraded();
  const size = 2 ** 20;
  const ended = (async () => {
    for (let sent = 0; sent <= messageWindowBytes; sent += size)
      await stream.write(encodeWebSocketMessage(opcode.binary, new Uint8Array(size)));
    await stream.write(encodeCloseMessage({ code: 1001, reason: '' }));
  })();
  for (let i = 0; i < 50; i += 1) await settled();
  say({ t: 'close', code: 1001, reason: '' });
  assert.deepEqual(decodeClose((await nextMessage(stream)).payload), { code: 1001, reason: '' });
  await ended;
  assert.equal(await stream.read(), null);
  port1.close();
  await tunnel.end();
});

/** A service worker beside the socket, which answers what it is asked as the test says. */
async function besideServiceWorker(answer: (question: CookieQuestion) => string | undefined) {
  const tunnel = await TestTunnel.start();
  const clock = new FakeClock();
  const server = new AppServer(tunnel, clock);
  const [worker, socket] = [new MessageChannel(), new MessageChannel()];
  const asked: CookieQuestion[] = [];
  const heard = new Arrivals<WebSocketFromTunnel>();
  worker.port1.onmessage = ({ data }: MessageEvent<FromTunnel>) => {
    if (data.t !== 'read-cookies' && data.t !== 'write-cookies') return;
    asked.push(data);
    const text = answer(data);
    if (text !== undefined) worker.port1.postMessage({ t: 'cookies', id: data.id, text } satisfies ToTunnel);
  };
  socket.port1.onmessage = (event: MessageEvent<WebSocketFromTunnel>) => heard.push(event.data);
  server.serve(worker.port2, { kind: 'service-worker' });
  server.serve(socket.port2, { kind: 'websocket' });
  socket.port1.postMessage({ t: 'connect', target: '/deep/socket?q', protocols: [] } satisfies WebSocketToTunnel);
  const end = async () => {
    worker.port1.close();
    socket.port1.close();
    await tunnel.end();
  };
  return { tunnel, clock, asked, heard, end };
}

const cookiesOf = (headers: readonly Header[]) => headers.filter(([name]) => name === ':cookies');

test('app-access: WebSocket fidelity: cookies that scripts see at its address go with a handshake', async () => {
  const { tunnel, asked, end } = await besideServiceWorker(() => 'a=1; b=2');
  const { head } = await readHead(await tunnel.accept());
  assert.deepEqual(asked, [{ t: 'read-cookies', id: 1, target: '/deep/socket?q' }]);
  assert.deepEqual(cookiesOf(head.headers), [[':cookies', 'a=1; b=2']]);
  await end();
});

for (const status of [101, 403])
  test(`app-access: WebSocket fidelity: scripts see the cookies of an answer ${status} before they hear of it`, async () => {
    const order: string[] = [];
    const { tunnel, asked, heard, end } = await besideServiceWorker((question) => {
      order.push(question.t);
      return '';
    });
    const stream = await tunnel.accept();
    await readHead(stream);
    const headers: Header[] = [
      [':set-cookie', 'a=1; Path=/'],
      [':set-cookie', 'b=2; Path=/'],
    ];
    await stream.write(encodeResponseHead({ status, headers }));
    order.push((await heard.next()).t);
    assert.deepEqual(order, ['read-cookies', 'write-cookies', status === 101 ? 'open' : 'closed']);
    assert.deepEqual(asked[1], { t: 'write-cookies', id: 2, lines: ['a=1; Path=/', 'b=2; Path=/'] });
    await end();
  });

test('a service worker that was stopped holds up no WebSocket', async () => {
  const { tunnel, clock, asked, end } = await besideServiceWorker(() => undefined);
  const stream = await tunnel.accept();
  while (asked.length === 0) await settled();
  await clock.advance(2_000);
  const { head } = await readHead(stream);
  assert.deepEqual(cookiesOf(head.headers), []);
  await end();
});
