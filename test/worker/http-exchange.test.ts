import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, equal, utf8, utf8Decode } from '../../protocol/bytes.ts';
import { encodeResponseHead } from '../../protocol/exchange/http.ts';
import { type FromTunnel, firstCreditBytes, maxChunkBytes } from '../../worker/app-messages.ts';
import { HttpExchange } from '../../worker/tunnel/http-exchange.ts';
import { settled } from '../support/fake-clock.ts';
import { answer, hidden, readHead, readRest, request, Said, TestTunnel } from './app-side.ts';

const nothing = new Uint8Array(0);

async function begin(fields = {}) {
  const tunnel = await TestTunnel.start();
  const said = new Said();
  const exchange = new HttpExchange(request(fields), tunnel, said.say);
  const over = exchange.run();
  return { tunnel, said, exchange, over };
}

test('a request goes out with what only the gateway reads, and its answer comes back whole', async () => {
  const { tunnel, said, over } = await begin({ headers: [['accept', 'text/html']], cookies: 'a=b' });
  const stream = await tunnel.accept();
  const { head, rest } = await readHead(stream);
  assert.deepEqual(head, {
    method: 'GET',
    target: '/',
    headers: [
      ...hidden,
      [':cookies', 'a=b'],
      [':dest', 'document'],
      [':mode', 'navigate'],
      [':site', 'none'],
      ['accept', 'text/html'],
    ],
  });
  assert.equal((await readRest(stream, rest)).length, 0);
  const headers: [string, string][] = [
    ['content-type', 'text/plain'],
    [':set-cookie', 'seen=1'],
    [':reason', 'Fine'],
    [':correlation', 'c0ffee'],
  ];
  await answer(stream, 200, headers, utf8('hello'));
  await stream.finish();
  assert.deepEqual(await said.next(), {
    t: 'head',
    id: 7,
    status: 200,
    reason: 'Fine',
    headers: [['content-type', 'text/plain']],
    setCookies: ['seen=1'],
  });
  const chunk = await said.until('chunk');
  assert.equal(utf8Decode(chunk.chunk), 'hello');
  assert.deepEqual(await said.next(), { t: 'end', id: 7, length: 5 });
  await over;
  await tunnel.end();
});

for (const [what, fields, isAhead] of [
  ['GET', {}, true],
  ['HEAD', { method: 'HEAD' }, true],
  ['POST, which must not be heard twice,', { method: 'POST' }, false],
  ['GET with a body', { hasBody: true }, false],
] as const)
  test(`a ${what} ${isAhead ? 'is at the gateway with' : 'waits for'} its stream`, async () => {
    const { tunnel, exchange, over } = await begin(fields);
    const asked = await tunnel.incoming();
    await settled();
    const stream = await asked.accept();
    assert.equal(stream.buffered > 0, isAhead);
    assert.equal((await readHead(stream)).head.target, '/');
    exchange.take({ t: 'cancel', id: 7 });
    await over;
    await tunnel.end();
  });

test('a request that is given up while the gateway considers it is not carried out afterwards', async () => {
  const { tunnel, exchange, over } = await begin();
  const asked = await tunnel.incoming();
  exchange.take({ t: 'cancel', id: 7 });
  await over;
  await asked.closed;
  await assert.rejects(asked.accept(), { code: 'cancelled' });
  await tunnel.end();
});

test("QHX-6: a call to another app names it, and tells it nothing of this one's jar, cookies or tab", async () => {
  for (const credentials of [false, true]) {
    const { tunnel, exchange, over } = await begin({ call: { service: 'api', credentials }, cookies: 'a=b' });
    const stream = await tunnel.accept();
    const { head } = await readHead(stream);
    assert.deepEqual(head.headers, credentials ? [[':credentials', 'include']] : []);
    assert.deepEqual(tunnel.asked, ['api']);
    exchange.take({ t: 'cancel', id: 7 });
    await over;
    await tunnel.end();
  }
});

test('a gateway that brings no answer is told by its code and correlation id, not as an empty page', async () => {
  const { tunnel, said, over } = await begin();
  const stream = await tunnel.accept();
  await answer(
    stream,
    502,
    [
      [':error', 'unreachable'],
      [':correlation', 'c0ffee'],
    ],
    nothing,
  );
  stream.reset('unreachable');
  assert.deepEqual(await said.next(), { t: 'error', id: 7, code: 'unreachable', correlation: 'c0ffee' });
  await over;
  await tunnel.end();
});

test('a refused stream is told by the refusal’s code and id', async () => {
  const { tunnel, said, over } = await begin();
  (await tunnel.incoming()).refuse(
    'denied',
    Uint8Array.from({ length: 16 }, () => 0xab),
  );
  assert.deepEqual(await said.next(), { t: 'error', id: 7, code: 'denied', correlation: 'ab'.repeat(16) });
  await over;
  await tunnel.end();
});

for (const [what, lose] of [
  ['its transport', (tunnel: TestTunnel) => tunnel.lose()],
  ['its session', (tunnel: TestTunnel) => tunnel.end()],
] as const)
  test(`a body that is cut with ${what} ends as truncated and is not asked for again`, async () => {
    const { tunnel, said, over } = await begin();
    const stream = await tunnel.accept();
    await answer(stream, 200, [], utf8('half'));
    await said.until('chunk');
    await lose(tunnel);
    assert.equal((await said.until('error')).code, 'truncated');
    await over;
    assert.equal(tunnel.opened, 1);
  });

const whole = Uint8Array.from({ length: 20_000 }, (_, i) => i % 249);
const named: [string, string][] = [
  ['etag', '"v1"'],
  ['accept-ranges', 'bytes'],
  ['content-length', String(whole.length)],
];

/** The next chunk, for which the service worker gives credit, as it does when it has room. */
async function taken({ said, exchange }: Pick<Awaited<ReturnType<typeof begin>>, 'said' | 'exchange'>) {
  const { chunk } = await said.until('chunk');
  exchange.take({ t: 'credit', id: 7, bytes: chunk.length });
  return chunk;
}

/** A download of {@link whole} whose session is lost after so many bytes, which are one record. */
async function interrupted(at: number, headers = named, fields = {}) {
  const begun = await begin(fields);
  const first = await begun.tunnel.accept();
  await readHead(first);
  await answer(first, 200, headers, whole.subarray(0, at));
  await begun.said.until('head');
  const got = at === 0 ? nothing : await taken(begun);
  await begun.tunnel.lose();
  return { ...begun, got };
}

const partFrom = (first: number, etag = '"v1"'): [string, string][] => [
  ['etag', etag],
  ['content-range', `bytes ${first}-${whole.length - 1}/${whole.length}`],
];

test('QZ-17: a download whose session is lost goes on where it was, of the very same file', async () => {
  const headers: [string, string][] = [
    ['accept', '*/*'],
    ['If-None-Match', '"v0"'],
  ];
  const { tunnel, said, over, got } = await interrupted(8_000, named, { headers });
  const stream = await tunnel.accept();
  const { head } = await readHead(stream);
  assert.deepEqual(head.headers.slice(-3), [
    ['accept', '*/*'],
    ['range', 'bytes=8000-19999'],
    ['if-range', '"v1"'],
  ]);
  await answer(stream, 206, partFrom(8_000), whole.subarray(8_000));
  await stream.finish();
  const { chunk } = await said.until('chunk');
  assert.ok(equal(concat(got, chunk), whole));
  assert.equal((await said.next()).t, 'end', 'one head, one end');
  await over;
  await tunnel.end();
});

test('QZ-17: it goes on over any number of lost sessions, as long as each brings something', async () => {
  const { tunnel, said, exchange, over, got } = await interrupted(2_000);
  const chunks = [got];
  for (let at = 2_000; at < whole.length; at += 2_000) {
    const stream = await tunnel.accept();
    await readHead(stream);
    await answer(stream, 206, partFrom(at), whole.subarray(at, at + 2_000));
    chunks.push(await taken({ said, exchange }));
    await tunnel.lose();
  }
  assert.ok(equal(concat(...chunks), whole));
  assert.equal((await said.next()).t, 'end', 'what was there to its last byte is not asked for again');
  await over;
  assert.equal(tunnel.opened, 10);
});

test('sessions that bring nothing are not tried for ever', async () => {
  const { tunnel, said, over } = await interrupted(2_000);
  for (let i = 0; i < 5; i += 1) {
    await readHead(await tunnel.accept());
    await tunnel.lose();
  }
  assert.equal((await said.until('error')).code, 'truncated');
  await over;
  assert.equal(tunnel.opened, 6);
});

for (const [what, status, headers, code] of [
  ['is another file by now', 200, named, 'truncated'],
  ['has another validator', 206, partFrom(8_000, '"v2"'), 'truncated'],
  ['begins elsewhere', 206, partFrom(7_999), 'truncated'],
  ['is gone', 404, [], 'truncated'],
  ['cannot be brought', 502, [[':error', 'unreachable']], 'unreachable'],
] as const)
  test(`QZ-17: a rest that ${what} ends the download as broken`, async () => {
    const { tunnel, said, over } = await interrupted(8_000);
    const stream = await tunnel.accept();
    await readHead(stream);
    await answer(stream, status, [...headers] as [string, string][], whole.subarray(8_000)).catch(() => undefined);
    assert.equal((await said.until('error')).code, code);
    await over;
    assert.ok(said.isEmpty && tunnel.isQuiet);
    assert.equal(tunnel.opened, 2);
    await tunnel.end();
  });

test('QZ-17: a rest that is longer than it said is not an end', async () => {
  const { tunnel, said, over } = await interrupted(8_000);
  const stream = await tunnel.accept();
  await readHead(stream);
  await answer(stream, 206, partFrom(8_000), concat(whole.subarray(8_000), whole));
  await stream.finish();
  assert.equal((await said.until('error')).code, 'truncated');
  await over;
  await tunnel.end();
});

test('a request that changes nothing and was not answered is sent again on the next session', async () => {
  const { tunnel, said, over } = await begin();
  await readHead(await tunnel.accept());
  await tunnel.lose();
  const stream = await tunnel.accept();
  await readHead(stream);
  await answer(stream, 204, [], nothing);
  await stream.finish();
  assert.equal((await said.until('head')).status, 204);
  await over;
  assert.equal(tunnel.opened, 2);
  await tunnel.end();
});

for (const [method, hasBody] of [
  ['POST', true],
  ['POST', false],
  ['DELETE', false],
] as const)
  test(`a ${method} ${hasBody ? 'with' : 'without'} a body that may have been seen is not sent again`, async () => {
    const { tunnel, said, over } = await begin({ method, hasBody });
    await readHead(await tunnel.accept());
    await tunnel.lose();
    assert.equal((await said.until('error')).code, 'truncated');
    await over;
    assert.equal(tunnel.opened, 1);
    assert.ok(tunnel.isQuiet);
  });

test('a POST whose stream never came about is sent again, body and all', async () => {
  const { tunnel, said, exchange, over } = await begin({ method: 'POST', hasBody: true });
  await tunnel.incoming();
  exchange.take({ t: 'body', id: 7, chunk: utf8('payload') });
  exchange.take({ t: 'body-end', id: 7, length: 7 });
  await tunnel.lose();
  const stream = await tunnel.accept();
  const { rest } = await readHead(stream);
  assert.equal(utf8Decode(await readRest(stream, rest)), 'payload');
  await answer(stream, 200, [], nothing);
  await stream.finish();
  await said.until('end');
  await over;
  await tunnel.end();
});

test('a gateway that answers is believed the first time: its own "truncated" is not asked for again', async () => {
  const { tunnel, said, over } = await begin();
  const stream = await tunnel.accept();
  await answer(stream, 502, [[':error', 'truncated']], nothing);
  stream.reset('truncated');
  assert.equal((await said.until('error')).code, 'truncated');
  await over;
  assert.equal(tunnel.opened, 1);
  await tunnel.end();
});

test('QZ-16: a page that takes nothing gets no more than its credit, and all of it when it does', async () => {
  const { tunnel, said, exchange, over } = await begin();
  const stream = await tunnel.accept();
  const body = Uint8Array.from({ length: 3 * firstCreditBytes }, (_, i) => i % 251);
  const sending = answer(stream, 200, [], body).then(() => stream.finish());
  await said.until('head');
  await settled();
  const chunks: Uint8Array[] = [];
  let under = 0;
  const drain = async () => {
    await settled();
    while (!said.isEmpty) {
      const message: FromTunnel = await said.next();
      if (message.t !== 'chunk') return;
      chunks.push(message.chunk);
      under += message.chunk.length;
    }
  };
  await drain();
  assert.ok(under >= firstCreditBytes && under < firstCreditBytes + 64 * 1024, `${under} bytes without credit`);
  while (concat(...chunks).length < body.length) {
    exchange.take({ t: 'credit', id: 7, bytes: 100_000 });
    await drain();
  }
  await sending;
  assert.deepEqual(concat(...chunks), body);
  await over;
  await tunnel.end();
});

test('what comes of a body while a part of it is under way crosses in one message, and nothing waits for more', async () => {
  const { tunnel, said, exchange, over } = await begin();
  const stream = await tunnel.accept();
  await answer(stream, 200, [], utf8('a'));
  assert.equal(utf8Decode((await said.until('chunk')).chunk), 'a', 'the first leaves at once');
  for (const part of ['b', 'c', 'd']) await stream.write(utf8(part));
  await settled();
  assert.ok(said.isEmpty);
  exchange.take({ t: 'credit', id: 7, bytes: 1 });
  assert.equal(utf8Decode((await said.until('chunk')).chunk), 'bcd');
  exchange.take({ t: 'credit', id: 7, bytes: 3 });
  await stream.write(utf8('e'));
  assert.equal(utf8Decode((await said.until('chunk')).chunk), 'e', 'as the first did');
  await stream.write(utf8('f'));
  await stream.finish();
  assert.equal(utf8Decode((await said.until('chunk')).chunk), 'f', 'before the end');
  assert.equal((await said.until('end')).length, 6);
  await over;
  await tunnel.end();
});

test('an upload of which a part is missing never ends like a whole one', async () => {
  const { tunnel, exchange, over } = await begin({ method: 'PUT', hasBody: true });
  const stream = await tunnel.accept();
  const received = readHead(stream).then(({ rest }) => readRest(stream, rest));
  exchange.take({ t: 'body', id: 7, chunk: utf8('half of it') });
  exchange.take({ t: 'body-end', id: 7, length: 20 });
  await assert.rejects(received, { name: 'StreamError', code: 'cancelled' });
  await over;
  await tunnel.end();
});

test('an upload is credited as the gateway takes it, and arrives whole', async () => {
  const { tunnel, said, exchange, over } = await begin({ method: 'PUT', hasBody: true });
  const stream = await tunnel.accept();
  const body = Uint8Array.from({ length: 2_000_000 }, (_, i) => i % 253);
  const received = readHead(stream).then(({ rest }) => readRest(stream, rest));
  let credit = firstCreditBytes;
  for (let at = 0; at < body.length; ) {
    while (credit <= 0) credit += (await said.until('credit')).bytes;
    const chunk = body.slice(at, at + 100_000);
    exchange.take({ t: 'body', id: 7, chunk });
    credit -= chunk.length;
    at += chunk.length;
  }
  exchange.take({ t: 'body-end', id: 7, length: body.length });
  assert.deepEqual(await received, body);
  await answer(stream, 201, [], nothing);
  await stream.finish();
  assert.equal((await said.until('head')).status, 201);
  await over;
  await tunnel.end();
});

test('an answer that does not wait for the upload ends it, and the stream with it', async () => {
  const { tunnel, said, exchange, over } = await begin({ method: 'POST', hasBody: true });
  const stream = await tunnel.accept();
  await readHead(stream);
  exchange.take({ t: 'body', id: 7, chunk: utf8('the first part') });
  await answer(stream, 413, [], nothing);
  await stream.finish();
  await said.until('end');
  await over;
  await stream.closed;
  await tunnel.end();
});

test('an upload that overdraws its credit is cancelled', async () => {
  const { tunnel, exchange, over } = await begin({ method: 'POST', hasBody: true });
  const stream = await tunnel.accept();
  await readHead(stream);
  const chunk = new Uint8Array(maxChunkBytes);
  for (let sent = 0; sent < 16 * firstCreditBytes; sent += chunk.length) exchange.take({ t: 'body', id: 7, chunk });
  await over;
  await stream.closed;
  await tunnel.end();
});

test('cancelling before, during and after the opening of the stream leaves nothing behind', async () => {
  const early = await begin();
  early.exchange.take({ t: 'cancel', id: 7 });
  const opened = await early.tunnel.accept();
  await early.over;
  await opened.closed;

  const late = await begin();
  const stream = await late.tunnel.accept();
  await readHead(stream);
  await stream.write(encodeResponseHead({ status: 200, headers: [] }));
  await late.said.until('head');
  late.exchange.take({ t: 'cancel', id: 7 });
  await late.over;
  await stream.closed;
  assert.ok(late.said.isEmpty, 'nothing is said after a cancel');
  await Promise.all([early.tunnel.end(), late.tunnel.end()]);
});

test('a head that no request can have fails as an exchange, before a stream is opened', async () => {
  const { tunnel, said, over } = await begin({ headers: [['x', 'line\nbreak']] });
  assert.equal((await said.until('error')).code, 'internal');
  await over;
  assert.equal(tunnel.opened, 0);
  await tunnel.end();
});
