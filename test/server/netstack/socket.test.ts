/** What net.Socket has and callers use: timeouts, keep-alive, members, and streams in odd moods. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { HandPeer } from './support/hand-peer.ts';
import { FLAG } from './support/packets.ts';
import { pattern } from './support/random.ts';
import { collect, connected, digest, ending, sha256 } from './support/transfer.ts';
import { Pair, SERVER4 } from './support/wire.ts';

test('has the members that callers of net.Socket look at', async () => {
  const pair = new Pair();
  const { client } = await connected(pair);
  assert.equal(client.setNoDelay(true), client);
  assert.equal(client.setKeepAlive(true, 1_000), client);
  assert.equal(client.ref(), client);
  assert.equal(client.unref(), client);
  assert.equal(client.setTimeout(0), client);
  assert.deepEqual([client.readyState, client.pending, client.connecting], ['open', false, false]);
  assert.equal('encrypted' in client, false);
  client.end();
  assert.equal(client.readyState, 'readOnly');
});

test('counts the bytes it read and wrote', async () => {
  const pair = new Pair();
  const { client, server } = await connected(pair);
  const arrived = collect(server);
  client.write('hello ');
  client.end('world');
  await pair.clock.resolve(arrived);
  assert.deepEqual([client.bytesWritten, server.bytesRead], [11, 11]);
});

test('bytes written one after the other in one turn leave as full segments', async () => {
  const peer = new HandPeer();
  const socket = await peer.open();
  socket.cork();
  for (let i = 0; i < 30; i++) socket.write(Buffer.alloc(100));
  socket.uncork();
  assert.deepEqual(
    peer.take().map(({ payload }) => payload.length),
    [1_000, 1_000, 1_000],
  );
});

test('the last segment of a write is pushed', async () => {
  const peer = new HandPeer();
  const socket = await peer.open();
  socket.write(Buffer.alloc(2_500));
  const pushed = peer.take().map(({ flags }) => (flags & FLAG.PSH) !== 0);
  assert.deepEqual(pushed, [false, false, true]);
});

test('setTimeout fires after silence, not before, and activity puts it off', async () => {
  const pair = new Pair();
  const { client, server } = await connected(pair);
  let timeouts = 0;
  client.setTimeout(1_000, () => timeouts++);
  client.resume();
  await pair.clock.advance(900);
  server.write('x');
  await pair.clock.advance(900);
  assert.equal(timeouts, 0);
  client.write('y');
  await pair.clock.advance(900);
  assert.equal(timeouts, 0);
  await pair.clock.advance(200);
  assert.equal(timeouts, 1);
  assert.equal(client.destroyed, false);
  client.setTimeout(0);
  await pair.clock.advance(10_000);
  assert.equal(timeouts, 1);
});

test('keep-alive finds a peer that is gone and spares one that answers', async () => {
  const pair = new Pair();
  const { client, server } = await connected(pair);
  client.setKeepAlive(true, 5_000);
  await pair.clock.advance(600_000);
  assert.equal(client.destroyed, false);
  const end = ending(client);
  pair.tap = () => false;
  assert.equal(await pair.clock.resolve(end, 120_000), 'ETIMEDOUT');
  assert.equal(server.destroyed, false);
});

test('an answer limit ends a quiet connection whose peer is gone, and spares one in the middle of a transfer', async () => {
  const pair = new Pair();
  const { client, server } = await connected(pair);
  client.setAnswerLimit(10_000);
  server.resume();
  await pair.clock.advance(300_000);
  client.write('somebody is there');
  await pair.clock.advance(1_000);
  assert.equal(client.destroyed, false);
  // The first packets of this and their answers arrive, the rest is lost for longer than the limit.
  let left = 40;
  pair.tap = () => left-- > 0;
  client.write(Buffer.alloc(400_000));
  await pair.clock.advance(15_000);
  pair.tap = () => true;
  await pair.clock.advance(30_000);
  assert.equal(server.bytesRead, 400_017);
  const end = ending(client);
  pair.tap = () => false;
  client.write('nobody is there');
  await pair.clock.advance(9_990);
  assert.equal(client.destroyed, false);
  await pair.clock.advance(20);
  assert.equal(await end, 'ETIMEDOUT');
});

test('without keep-alive an idle connection stays and says nothing', async () => {
  const pair = new Pair();
  const { client } = await connected(pair);
  const { carried } = pair;
  await pair.clock.advance(24 * 3_600_000);
  assert.equal(pair.carried, carried);
  assert.equal(client.destroyed, false);
});

test('what is written and ended before the connection stands is sent when it does', async () => {
  const pair = new Pair({ delayMs: 10 });
  const arrived = new Promise<Uint8Array>((resolve) => {
    pair.server.listen({ port: 80 }, (socket) => resolve(collect(socket)));
  });
  const socket = pair.client.open({ host: SERVER4, port: 80 });
  assert.deepEqual([socket.connecting, socket.readyState], [true, 'opening']);
  socket.end('early');
  assert.equal(String(Buffer.from(await pair.clock.resolve(arrived))), 'early');
});

test('a socket destroyed while it connects leaves nothing behind', async () => {
  const pair = new Pair({ delayMs: 10 });
  pair.server.listen({ port: 80 }, () => assert.fail('accepted'));
  const socket = pair.client.open({ host: SERVER4, port: 80 });
  socket.destroy();
  assert.equal(pair.client.stats().connections, 0);
  await pair.clock.advance(1_000);
  assert.equal(pair.server.stats().connections, 0);
});

test('a pipeline relays megabytes both ways through a third stack', async () => {
  const far = new Pair({ delayMs: 5, loss: 0.01, seed: 11 });
  const { client: near, server: end } = await connected(far);
  const { client, server: middle } = await connected(far, { port: 81 });
  const relay = Promise.all([pipeline(middle, near), pipeline(near, middle)]);
  const up = pattern(2_000_000, 1);
  const down = pattern(3_000_000, 2);
  const got = Promise.all([digest(end), digest(client)]);
  client.end(up);
  end.end(down);
  const [first, second] = await far.clock.resolve(got);
  assert.deepEqual([first.sha256, second.sha256], [sha256(up), sha256(down)]);
  await far.clock.resolve(relay);
});

test('reading by async iteration sees every byte and the end', async () => {
  const pair = new Pair();
  const { client, server } = await connected(pair);
  const read = (async () => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of server) chunks.push(chunk as Uint8Array);
    return Buffer.concat(chunks);
  })();
  const sent = pattern(500_000);
  client.end(sent);
  assert.equal(sha256(await pair.clock.resolve(read)), sha256(sent));
});

test('a burst of packets reaches the reader in few chunks', async () => {
  const pair = new Pair({ delayMs: 10 });
  const { client, server } = await connected(pair);
  let chunks = 0;
  server.on('data', () => chunks++);
  const ended = once(server, 'end');
  client.end(pattern(1_000_000));
  await pair.clock.resolve(ended);
  assert.ok(chunks < 100, `${chunks} chunks for 731 segments`);
});
