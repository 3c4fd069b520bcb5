import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { serveTcp } from '../../../../server/gateway/bridge/tcp-exchange.ts';
import { fixture, listen } from './fixture.ts';
import { StreamPair } from './stream-pair.ts';

async function connected(onSocket: (socket: Socket) => void): Promise<{ pair: StreamPair; outcome: Promise<unknown> }> {
  const port = await listen(createServer({ allowHalfOpen: true }, onSocket));
  const { pool } = fixture(port, { service: { scheme: 'tcp' } });
  const pair = new StreamPair();
  const outcome = serveTcp(pair.gateway, await pool.connect());
  outcome.catch(() => undefined);
  return { pair, outcome };
}

async function drain(pair: StreamPair): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (let chunk = await pair.read(); chunk !== null; chunk = await pair.read()) parts.push(chunk);
  return Buffer.concat(parts);
}

test('BR-1: carries bytes both ways, and each direction ends by itself', async () => {
  const { pair, outcome } = await connected((socket) => {
    // Answers only after the client has ended: half-closed connections must work.
    const parts: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => parts.push(chunk));
    socket.on('end', () => socket.end(Buffer.concat(parts).toString().toUpperCase()));
  });
  await pair.write(Buffer.from('ssh-2.0'));
  pair.finish();
  assert.equal((await drain(pair)).toString(), 'SSH-2.0');
  assert.deepEqual(await outcome, { bytesUp: 7, bytesDown: 7 });
});

test('BR-1: the service may end first', async () => {
  const got = Promise.withResolvers<string>();
  const { pair, outcome } = await connected((socket) => {
    socket.end('banner');
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('end', () => got.resolve(text));
  });
  assert.equal((await drain(pair)).toString(), 'banner');
  await pair.write(Buffer.from('late'));
  pair.finish();
  assert.equal(await got.promise, 'late');
  await outcome;
});

test('BR-7: a connection that breaks is a reset, never an end', async () => {
  const { pair, outcome } = await connected((socket) => {
    socket.write('half');
    socket.once('data', () => socket.resetAndDestroy());
  });
  assert.equal(Buffer.from((await pair.read()) ?? []).toString(), 'half');
  await pair.write(Buffer.from('go'));
  await assert.rejects(drain(pair), { code: 'upstream_failed' });
  await assert.rejects(outcome);
});

for (const hasFinished of [false, true])
  test(`BR-1: a client that breaks off resets the connection, ${hasFinished ? 'after' : 'before'} its own end`, async () => {
    const broken = Promise.withResolvers<unknown>();
    const ended = Promise.withResolvers<void>();
    const { pair } = await connected((socket) => {
      socket.on('error', (error) => broken.resolve(error));
      socket.on('end', () => ended.resolve());
      socket.resume();
      // A reset is noticed by whoever speaks.
      const more = () => void socket.write('hello', (error) => (error ? broken.resolve(error) : setImmediate(more)));
      more();
    });
    await pair.read();
    if (hasFinished) {
      pair.finish();
      await ended.promise;
    }
    pair.reset('cancelled');
    assert.match(((await broken.promise) as NodeJS.ErrnoException).code ?? '', /^(ECONNRESET|EPIPE)$/);
  });

test('BR-1: 16 MiB each way at once arrive whole', async () => {
  const sent = randomBytes(16 << 20);
  const { pair, outcome } = await connected((socket) => socket.pipe(socket));
  const hash = createHash('sha256');
  const reading = (async () => {
    for (let chunk = await pair.read(); chunk !== null; chunk = await pair.read()) hash.update(chunk);
  })();
  for (let at = 0; at < sent.length; at += 16_384) await pair.write(sent.subarray(at, at + 16_384));
  pair.finish();
  await reading;
  assert.equal(hash.digest('hex'), createHash('sha256').update(sent).digest('hex'));
  await outcome;
});
