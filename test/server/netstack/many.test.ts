/** Many connections at once, and many one after the other: nothing is mixed up and nothing is left behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_CONNECTIONS } from '../../../server/netstack/limits.ts';
import { NetStack } from '../../../server/netstack/stack.ts';
import { pattern } from './support/random.ts';
import { collect, sha256 } from './support/transfer.ts';
import { CLIENT4, Pair, SERVER4, SERVER6 } from './support/wire.ts';

test('500 connections at once over a bad wire each echo their own bytes', async () => {
  const count = 500;
  const pair = new Pair({ delayMs: 10, loss: 0.01, reorder: 0.02, seed: 42 });
  pair.server.listen({ port: 7, allowHalfOpen: true }, (socket) => socket.pipe(socket));
  const one = async (i: number) => {
    const host = i % 2 === 0 ? SERVER4 : SERVER6;
    const socket = await pair.client.connect({ host, port: 7, allowHalfOpen: true });
    const sent = pattern(5_000 + 37 * i, i + 1);
    const arrived = collect(socket);
    socket.end(sent);
    assert.equal(sha256(await arrived), sha256(sent), `connection ${i}`);
  };
  await pair.clock.resolve(Promise.all(Array.from({ length: count }, (_, i) => one(i))));
  await pair.clock.advance(200_000);
  for (const stack of [pair.client, pair.server]) {
    const { connections, timeWait, bufferedBytes } = stack.stats();
    assert.deepEqual([connections, timeWait, bufferedBytes], [0, 0, 0]);
  }
  assert.equal(pair.clock.pending, 0);
});

test('500 idle connections hold no buffers and no timers', async () => {
  const pair = new Pair();
  pair.server.listen({ port: 7 }, () => {});
  const all = Promise.all(Array.from({ length: 500 }, () => pair.client.connect({ host: SERVER4, port: 7 })));
  await pair.clock.resolve(all);
  await pair.clock.advance(5_000);
  assert.equal(pair.client.stats().connections, 500);
  assert.equal(pair.client.stats().bufferedBytes + pair.server.stats().bufferedBytes, 0);
  assert.equal(pair.clock.pending, 0);
});

test('2,000 short connections one after the other reuse nothing that is still in TIME-WAIT', async () => {
  const pair = new Pair();
  pair.server.listen({ port: 7 }, (socket) => socket.end('x'));
  const ports = new Set<number>();
  for (let i = 0; i < 2_000; i++) {
    const socket = await pair.clock.resolve(pair.client.connect({ host: SERVER4, port: 7 }));
    ports.add(socket.localPort);
    await pair.clock.resolve(collect(socket));
  }
  assert.ok(pair.server.stats().timeWait <= 2_000);
  assert.ok(ports.size > 1_500, 'ports are drawn from the whole range');
  await pair.clock.advance(120_000);
  assert.deepEqual([pair.server.stats().timeWait, pair.client.stats().timeWait], [0, 0]);
});

test('a stack refuses more connections than it may hold, and takes more once some have ended', async () => {
  const stack = new NetStack({ addresses: [CLIENT4], output: () => {} });
  const sockets = Array.from({ length: MAX_CONNECTIONS }, () => stack.open({ host: SERVER4, port: 7 }));
  assert.equal(new Set(sockets.map(({ localPort }) => localPort)).size, MAX_CONNECTIONS);
  await assert.rejects(stack.connect({ host: SERVER4, port: 7 }), { code: 'ENOBUFS' });
  sockets[0]!.destroy();
  sockets[0] = stack.open({ host: SERVER4, port: 7 });
  for (const socket of sockets) socket.destroy();
  assert.equal(stack.stats().connections, 0);
});
