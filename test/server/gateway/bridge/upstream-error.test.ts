import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { ExchangeError } from '../../../../protocol/exchange/error.ts';
import { StreamError } from '../../../../protocol/stream-error.ts';
import { serveHttp } from '../../../../server/gateway/bridge/http-exchange.ts';
import { BridgeError } from '../../../../server/gateway/bridge/tunnel-stream.ts';
import { forLog, streamCodeOf } from '../../../../server/gateway/bridge/upstream-error.ts';
import { HeaderError } from '../../../../server/gateway/exchange/headers.ts';
import { fixture, listen } from './fixture.ts';
import { StreamPair } from './stream-pair.ts';

const errno = (code: string) => Object.assign(new Error(code), { code });

const codes: [error: unknown, code: string][] = [
  [new BridgeError('denied'), 'denied'],
  [new StreamError('truncated'), 'truncated'],
  [new StreamError('session_closed'), 'cancelled'],
  [new HeaderError('bad_header'), 'protocol'],
  [new ExchangeError('too_large', 'head'), 'protocol'],
  [errno('EWRONGPEER'), 'wrong_peer'],
  [errno('ECONNREFUSED'), 'unreachable'],
  [errno('ETIMEDOUT'), 'timeout'],
  [errno('EPIPE'), 'upstream_failed'],
  [errno('HPE_INVALID_CONSTANT'), 'upstream_failed'],
  [errno('constructor'), 'upstream_failed'],
  ['not an error', 'upstream_failed'],
  [new TypeError('ours'), 'internal'],
  [new RangeError('ours'), 'internal'],
];

for (const [error, code] of codes)
  test(`BR-7: ${String(error)} is told as ${code}`, () => {
    assert.equal(streamCodeOf(error), code);
  });

test('QPT-10: the log of a response that cannot be parsed holds none of its bytes', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nSet-Cookie: sid=canary-cookie\r\nX: a\x01b\r\n\r\n'));
  });
  const pair = new StreamPair();
  const outcome = serveHttp(pair.gateway, fixture(await listen(server)).deps);
  await pair.sendHead('GET', '/');
  pair.finish();
  const error = await outcome.then(
    () => assert.fail('it was answered'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Error && 'rawPacket' in error, 'Node attaches the bytes, which is why they are left out');
  const logged = forLog(error);
  assert.equal(logged?.code, 'HPE_INVALID_HEADER_TOKEN');
  assert.doesNotMatch(JSON.stringify(logged), /canary|rawPacket/);
  const wrapped = forLog(new BridgeError('upstream_failed', { cause: error }));
  assert.equal(wrapped?.cause?.code, 'HPE_INVALID_HEADER_TOKEN');
  assert.doesNotMatch(JSON.stringify(wrapped), /canary|rawPacket/);
});
