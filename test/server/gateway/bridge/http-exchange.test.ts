import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createNetServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { encodeRequestHead, type Header } from '../../../../protocol/exchange/http.ts';
import { serveHttp } from '../../../../server/gateway/bridge/http-exchange.ts';
import { responseHeadLimitMs } from '../../../../server/gateway/limits.ts';
import { Arrivals } from '../../../protocol/session/pair.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { publicHost, values } from '../exchange/support.ts';
import { correlation, type Fixture, fixture, listen } from './fixture.ts';
import { LiveMemory } from './live-memory.ts';
import { creditBytes, StreamPair } from './stream-pair.ts';

async function served(listener: RequestListener, over: Parameters<typeof fixture>[1] = {}): Promise<Fixture> {
  return fixture(await listen(createServer(listener)), over);
}

/** One request, sent whole. */
async function ask(to: Fixture, method: string, target: string, headers: Header[] = [], body?: Uint8Array) {
  const pair = new StreamPair();
  const outcome = serveHttp(pair.gateway, to.deps);
  outcome.catch(() => undefined);
  await pair.sendHead(method, target, headers);
  if (body !== undefined) await pair.write(body);
  pair.finish();
  return { ...(await pair.receive()), outcome: await outcome };
}

/** One request that fails: the code it was reset with, and the head before it. */
async function askInVain(to: Fixture, method = 'GET', target = '/', headers: Header[] = []) {
  const pair = new StreamPair();
  const outcome = serveHttp(pair.gateway, to.deps);
  outcome.catch(() => undefined);
  const head = pair.readHead().catch(() => undefined);
  await pair.sendHead(method, target, headers);
  pair.finish();
  await assert.rejects(outcome);
  return { code: pair.resetBy?.code, head: await head };
}

const read = async (request: IncomingMessage): Promise<Buffer> => Buffer.concat(await request.toArray());

test('BR-1: carries a request and its response, and mints who asked', async () => {
  let seen: IncomingMessage | undefined;
  const to = await served((request, response) => {
    seen = request;
    response.writeHead(
      203,
      [
        ['X-A', '1'],
        ['x-a', '2'],
      ].flat(),
    );
    response.end('hello');
  });
  const { status, headers, body, outcome } = await ask(to, 'GET', '/a%20b?c=d', [['x-custom', '\u00e4']]);
  assert.equal(status, 203);
  assert.deepEqual(values(headers, 'x-a'), ['1', '2']);
  assert.equal(body.toString(), 'hello');
  assert.deepEqual(outcome, { status: 203, bytesUp: 0, bytesDown: 5 });
  assert.equal(seen?.url, '/a%20b?c=d');
  assert.equal(seen?.headers.host, publicHost);
  assert.equal(seen?.headers['x-latchkey-user'], 'ada');
  assert.equal(seen?.headers['x-custom'], '\u00e4');
  assert.equal(seen?.headers['transfer-encoding'], undefined);
  assert.deepEqual(to.judged, [{ method: 'GET', target: '/a%20b?c=d' }]);
});

const methods: [method: string, body: string, length: string | undefined][] = [
  ['GET', '', undefined],
  ['DELETE', '', undefined],
  ['POST', '', '0'],
  ['PROPFIND', '', '0'],
  ['POST', 'a=b', '3'],
  ['PUT', 'tiddler', '7'],
  ['PROPFIND', '<xml/>', '6'],
  ['DELETE', 'why', '3'],
];

for (const [method, text, length] of methods)
  test(`BR-1: frames ${method} with a body of ${text.length} as services understand it`, async () => {
    let framing: (string | undefined)[] = [];
    const to = await served(async (request, response) => {
      framing = [request.headers['content-length'], request.headers['transfer-encoding']];
      response.end(await read(request));
    });
    const { body } = await ask(to, method, '/', [], text === '' ? undefined : Buffer.from(text));
    assert.equal(body.toString(), text);
    assert.deepEqual(framing, [length, undefined]);
  });

for (const [name, write, status] of [
  ['204', (response) => response.writeHead(204).end(), 204],
  ['304', (response) => response.writeHead(304, { etag: '"x"', 'content-length': '5' }).end(), 304],
  ['302', (response) => response.writeHead(302, { location: '/next' }).end('moved'), 302],
  [
    '103 before 200',
    (response) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' });
      response.end('page');
    },
    200,
  ],
] as [string, (response: Parameters<RequestListener>[1]) => void, number][])
  test(`BR-1: passes ${name}`, async () => {
    const to = await served((_request, response) => write(response));
    assert.equal((await ask(to, 'GET', '/')).status, status);
    assert.equal((await ask(to, 'GET', '/')).status, status);
    assert.equal(to.connections(), 1, 'the connection was used again');
  });

test('BR-1: skips a 100 Continue that nobody asked for', async () => {
  const server = createNetServer((socket) => {
    socket.once('data', () =>
      socket.end('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
    );
  });
  assert.equal((await ask(fixture(await listen(server)), 'GET', '/')).body.toString(), 'ok');
});

test('BR-1: HEAD has the length and no body; Range passes through', async () => {
  const to = await served((request, response) => {
    if (request.headers.range === undefined) response.writeHead(200, { 'content-length': 10 }).end();
    else response.writeHead(206, { 'content-range': 'bytes 1-2/10', 'content-length': 2 }).end('bc');
  });
  const head = await ask(to, 'HEAD', '/', [[':dest', 'iframe']]);
  assert.deepEqual(values(head.headers, 'content-length'), ['10']);
  assert.equal(head.body.length, 0);
  const part = await ask(to, 'GET', '/', [['range', 'bytes=1-2']]);
  assert.equal(part.status, 206);
  assert.equal(part.body.toString(), 'bc');
  assert.deepEqual(values(part.headers, 'content-range'), ['bytes 1-2/10']);
});

test('BR-1: injects the shim into a document, also a compressed one, and into nothing else', async () => {
  const page = '<html><head><title>x</title></head></html>';
  const to = await served((request, response) => {
    const gzip = request.url === '/gzip';
    response.writeHead(200, { 'content-type': 'text/html', ...(gzip ? { 'content-encoding': 'gzip' } : {}) });
    response.end(gzip ? gzipSync(page) : page);
  });
  const injected = '<html><head><script src="/.latchkey/shim.js"></script><title>x</title></head></html>';
  assert.equal((await ask(to, 'GET', '/', [[':dest', 'iframe']])).body.toString(), injected);
  assert.equal((await ask(to, 'GET', '/gzip', [[':dest', 'document']])).body.toString(), injected);
  assert.equal((await ask(to, 'GET', '/', [[':dest', 'empty']])).body.toString(), page);
  assert.equal((await ask(to, 'GET', '/gzip', [[':dest', 'empty']])).body.toString(), page);
});

test('BR-1: signs in with an HttpOnly cookie that never comes down, on disk before the answer', async () => {
  const cookies: (string | undefined)[] = [];
  let savedFirst = false;
  const to = await served((request, response) => {
    cookies.push(request.headers.cookie);
    response.writeHead(200, { 'set-cookie': ['sid=s3cret; HttpOnly', 'theme=dark'] }).end();
  });
  const pair = new StreamPair();
  const outcome = serveHttp(pair.gateway, to.deps);
  await pair.sendHead('GET', '/', [[':cookies', '']]);
  pair.finish();
  const { headers } = await pair.readHead();
  savedFirst = to.saves() === 1;
  await outcome;
  assert.ok(savedFirst);
  assert.doesNotMatch(JSON.stringify(headers), /s3cret/);
  assert.deepEqual(values(headers, ':set-cookie'), ['theme=dark; Path=/']);
  await ask(to, 'GET', '/', [[':cookies', 'theme=dark']]);
  assert.deepEqual(cookies, [undefined, 'sid=s3cret; theme=dark']);
});

test('BR-1: carries the service’s own words for a status, which a page can read', async () => {
  const to = await served((_request, response) => response.writeHead(404, 'Nowhere at all').end());
  assert.deepEqual(values((await ask(to, 'GET', '/')).headers, ':reason'), ['Nowhere at all']);
});

test('BR-1: begins at the path of the service URL, without prefixing anything', async () => {
  const to = await served((request, response) => response.end(request.url), { service: { path: '/app/' } });
  const landing = await ask(to, 'GET', '/', [[':dest', 'iframe']]);
  assert.equal(landing.status, 302);
  assert.deepEqual(values(landing.headers, 'location'), ['/app/']);
  assert.equal((await ask(to, 'GET', '/x')).body.toString(), '/x');
  assert.equal((await ask(to, 'GET', '/')).body.toString(), '/');
});

// ── failures ──

test('BR-7: a service that dies in mid-download makes a reset, never an end', async () => {
  const promised = createNetServer((socket: Socket) => {
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${64 * 1024}\r\n\r\n${'x'.repeat(1_000)}`);
      socket.end();
    });
  });
  const chunked = createNetServer((socket: Socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'));
  });
  const killed = createNetServer((socket: Socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\nno length at all');
      setImmediate(() => socket.resetAndDestroy());
    });
  });
  for (const server of [promised, chunked, killed]) {
    const pair = new StreamPair();
    const outcome = serveHttp(pair.gateway, fixture(await listen(server)).deps);
    outcome.catch(() => undefined);
    await pair.sendHead('GET', '/');
    pair.finish();
    await assert.rejects(pair.receive(), { code: 'upstream_failed' });
    await assert.rejects(outcome);
    assert.deepEqual(pair.resetBy, { side: 'gateway', code: 'upstream_failed' });
  }
});

test('BR-7: a compressed document that breaks off makes a reset too', async () => {
  const whole = gzipSync(randomBytes(100_000));
  const to = await served((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html', 'content-encoding': 'gzip' });
    response.end(whole.subarray(0, 50_000));
  });
  const pair = new StreamPair();
  const outcome = serveHttp(pair.gateway, to.deps);
  outcome.catch(() => undefined);
  await pair.sendHead('GET', '/', [[':dest', 'iframe']]);
  pair.finish();
  await assert.rejects(pair.receive(), { code: 'upstream_failed' });
});

const refusing = (code: string) => () => Promise.reject(Object.assign(new Error('x'), { code }));
for (const [errno, code, status] of [
  ['ECONNREFUSED', 'unreachable', 502],
  ['EHOSTUNREACH', 'unreachable', 502],
  ['EWRONGPEER', 'wrong_peer', 403],
  ['ETIMEDOUT', 'timeout', 504],
  ['ECONNRESET', 'upstream_failed', 502],
] as const)
  test(`BR-7: a connection that fails with ${errno} is told as ${code}, with a correlation id and no cause`, async () => {
    const result = await askInVain(fixture(1, { connect: refusing(errno) }));
    assert.equal(result.code, code);
    assert.equal(result.head?.status, status);
    assert.deepEqual(result.head?.headers, [
      [':error', code],
      [':correlation', correlation],
    ]);
  });

test('QHX-6: a denied request never reaches the service', async () => {
  let asked = 0;
  const to = await served(
    (_request, response) => {
      asked += 1;
      response.end();
    },
    { deny: true },
  );
  const { code, head } = await askInVain(to);
  assert.equal(code, 'denied');
  assert.equal(head?.status, 403);
  assert.deepEqual([asked, to.connections()], [0, 0]);
});

test('QPT-9: what cannot be one request is refused before anything is sent', async () => {
  const to = await served((_request, response) => response.end());
  for (const [method, target, headers] of [
    ['TRACE', '/', []],
    ['GET', '*', []],
    [
      'GET',
      '/',
      [
        ['content-length', '1'],
        ['content-length', '2'],
      ],
    ],
  ] as [string, string, Header[]][])
    assert.equal((await askInVain(to, method, target, headers)).code, 'protocol', `${method} ${target}`);
  assert.equal(to.connections(), 0);
});

test('QPT-9: a body longer or shorter than its declared length does not become a second request', async () => {
  const requests: string[] = [];
  const to = await served(async (request, response) => {
    requests.push(request.url ?? '');
    await read(request).catch(() => undefined);
    response.end();
  });
  for (const declared of ['5', '50']) {
    const pair = new StreamPair();
    const outcome = serveHttp(pair.gateway, to.deps);
    outcome.catch(() => undefined);
    await pair.sendHead('POST', '/first', [['content-length', declared]]);
    await pair.write(Buffer.from('helloGET /second HTTP/1.1\r\n\r\n'));
    pair.finish();
    await assert.rejects(outcome, { code: 'protocol' });
  }
  await ask(to, 'GET', '/third');
  assert.ok(!requests.includes('/second'));
  assert.ok(requests.includes('/third'));
});

test('BR-7: a response head with an illegal byte or without end is refused', async () => {
  for (const head of ['HTTP/1.1 200 OK\r\nX: a\x01b\r\n\r\n', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`]) {
    const server = createNetServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(head));
    });
    assert.equal((await askInVain(fixture(await listen(server)))).code, 'upstream_failed');
  }
});

/** A service whose first connection dies as its second request arrives. */
async function dyingOnce(): Promise<ReturnType<typeof fixture>> {
  let connection = 0;
  const server = createNetServer((socket) => {
    connection += 1;
    const mine = connection;
    let requests = 0;
    socket.on('error', () => undefined);
    socket.on('data', () => {
      requests += 1;
      if (mine === 1 && requests === 2) socket.resetAndDestroy();
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    });
  });
  return fixture(await listen(server));
}

for (const method of ['GET', 'HEAD', 'OPTIONS'])
  test(`BR-1: a kept connection that died under ${method} is replaced without the client noticing`, async () => {
    const to = await dyingOnce();
    assert.equal((await ask(to, 'GET', '/')).status, 200);
    assert.equal((await ask(to, method, '/')).status, 200);
    assert.equal(to.connections(), 2);
  });

for (const method of ['PUT', 'DELETE', 'POST', 'PATCH'])
  test(`BR-1: ${method} on a kept connection that died is not sent again: the service may have done it`, async () => {
    const to = await dyingOnce();
    assert.equal((await ask(to, 'GET', '/')).status, 200);
    await assert.rejects(ask(to, method, '/'));
    assert.equal(to.connections(), 1);
  });

test('BR-1: a client that goes away ends the request at the service', async () => {
  const gone = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const to = await served((request) => {
    arrived.resolve();
    request.socket.once('close', () => gone.resolve());
  });
  const pair = new StreamPair();
  const outcome = serveHttp(pair.gateway, to.deps);
  outcome.catch(() => undefined);
  await pair.sendHead('GET', '/');
  pair.finish();
  await arrived.promise;
  pair.reset('cancelled');
  await gone.promise;
  await assert.rejects(outcome);
});

// ── bodies ──

test('BR-1: 64 MiB down and up arrive whole while memory stays flat', async () => {
  const block = randomBytes(1 << 20);
  const blocks = 64;
  const expected = createHash('sha256');
  for (let i = 0; i < blocks; i++) expected.update(block);
  const digest = expected.digest('hex');
  const memory = new LiveMemory();
  const to = await served(async (request, response) => {
    if (request.method === 'POST') {
      const hash = createHash('sha256');
      for await (const chunk of request) {
        hash.update(chunk as Buffer);
        memory.moved((chunk as Buffer).length);
      }
      response.end(hash.digest('hex'));
      return;
    }
    for (let i = 0; i < blocks; i++)
      if (!response.write(block)) await new Promise((resolve) => response.once('drain', resolve));
    response.end();
  });
  const down = new StreamPair();
  const downDone = serveHttp(down.gateway, to.deps);
  await down.sendHead('GET', '/');
  down.finish();
  const hash = createHash('sha256');
  const { rest } = await down.readHead();
  hash.update(rest);
  for (let chunk = await down.read(); chunk !== null; chunk = await down.read()) {
    hash.update(chunk);
    memory.moved(chunk.length);
  }
  await downDone;
  assert.equal(hash.digest('hex'), digest);

  const up = new StreamPair();
  const upDone = serveHttp(up.gateway, to.deps);
  const answer = up.receive();
  await up.sendHead('POST', '/');
  for (let i = 0; i < blocks * 16; i++) await up.write(block.subarray((i % 16) << 16, ((i % 16) + 1) << 16));
  up.finish();
  assert.equal((await answer).body.toString(), digest);
  await upDone;
  // The service, its buffers and the hashing share this process; holding a body would take 64 MiB.
  assert.ok(memory.growth < 32 * (1 << 20), `grew by ${memory.growth >> 20} MiB`);
});

test('BR-1: a slow reader slows the service down instead of filling the gateway', async () => {
  let sent = 0;
  const stalled = Promise.withResolvers<void>();
  const to = await served((_request, response) => {
    const chunk = Buffer.alloc(64 * 1024);
    const more = () => {
      while (response.write(chunk)) sent += chunk.length;
      sent += chunk.length;
      // The kernel's buffers take some megabytes; after that nothing more is accepted.
      stalled.resolve();
    };
    response.on('drain', more);
    more();
  });
  const pair = new StreamPair();
  serveHttp(pair.gateway, to.deps).catch(() => undefined);
  await pair.sendHead('GET', '/');
  pair.finish();
  await pair.readHead();
  await stalled.promise;
  let last = -1;
  while (last !== pair.down.total) {
    last = pair.down.total;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.ok(pair.down.buffered <= creditBytes + 128 * 1024, 'no more than credit waits in the tunnel');
  assert.ok(sent < 32 * (1 << 20), 'the service was held back');
  pair.reset('cancelled');
});

test('BR-1: an upload of unknown length is streamed, not collected', async () => {
  const first = Promise.withResolvers<string>();
  const to = await served((request, response) => {
    request.once('data', (chunk: Buffer) => first.resolve(chunk.toString()));
    request.on('end', () => response.end('done'));
  });
  const pair = new StreamPair();
  const outcome = serveHttp(pair.gateway, to.deps);
  await pair.sendHead('POST', '/');
  await pair.write(Buffer.from('early'));
  assert.equal(await first.promise, 'early');
  pair.finish();
  assert.equal((await pair.receive()).body.toString(), 'done');
  await outcome;
});

test('BR-1: an upload may take as long as it moves; the time for the answer counts from its end', async () => {
  const seen = new Arrivals<number>();
  const to = await served((request) => request.on('data', ({ length }: Buffer) => seen.push(length)).resume());
  const clock = new FakeClock();
  const pair = new StreamPair();
  const outcome = serveHttp(pair.gateway, { ...to.deps, clock });
  outcome.catch(() => undefined);
  const piece = Buffer.alloc(100_000);
  await pair.sendHead('POST', '/', [['content-length', String(4 * piece.length)]]);
  for (let n = 1; n <= 4; n += 1) {
    await pair.write(piece);
    for (let arrived = 0; arrived < piece.length; ) arrived += await seen.next();
    await clock.advance(responseHeadLimitMs - 1);
    assert.equal(pair.resetBy, undefined);
  }
  pair.finish();
  await clock.advance(responseHeadLimitMs);
  await assert.rejects(outcome, { code: 'timeout' });
});

test('BR-1: a service that answers before the upload is over is heard at once', async () => {
  const to = await served((_request, response) => response.writeHead(413, { connection: 'close' }).end('too much'));
  const pair = new StreamPair();
  const outcome = serveHttp(pair.gateway, to.deps);
  outcome.catch(() => undefined);
  await pair.sendHead('POST', '/', [['content-length', '10000000']]);
  await pair.write(Buffer.alloc(100_000));
  const { status, body } = await pair.receive();
  assert.equal(status, 413);
  assert.equal(body.toString(), 'too much');
  pair.finish();
  await outcome.catch(() => undefined);
});

test('QPT-9: a stream that brings half a head, or garbage for one, is reset', async () => {
  const to = await served((_request, response) => response.end());
  const head = encodeRequestHead({ method: 'GET', target: '/', headers: [] });
  for (const [bytes, code] of [
    [head.subarray(0, head.length - 1), 'truncated'],
    [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 'protocol'],
  ] as const) {
    const pair = new StreamPair();
    const outcome = serveHttp(pair.gateway, to.deps);
    outcome.catch(() => undefined);
    await pair.write(bytes);
    pair.finish();
    await assert.rejects(outcome);
    assert.equal(pair.resetBy?.code, code);
  }
});
