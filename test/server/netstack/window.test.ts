/** Flow control: scaled windows, closed windows, readers that pause, and the memory they cost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandPeer } from './support/hand-peer.ts';
import { FLAG, readPacket } from './support/packets.ts';
import { pattern } from './support/random.ts';
import { collect, connected, digest, sha256 } from './support/transfer.ts';
import { Pair } from './support/wire.ts';

const MIB = 1024 * 1024;

test('window scaling lets more than 64 KiB be in flight', async () => {
  const pair = new Pair({ delayMs: 100 });
  const { client, server } = await connected(pair);
  let high = 0;
  let acknowledged = 0;
  let most = 0;
  pair.tap = (bytes, direction) => {
    const { seq, ack, payload } = readPacket(bytes);
    if (direction === 'toServer') high = Math.max(high, seq + payload.length);
    else acknowledged = Math.max(acknowledged, ack);
    if (acknowledged > 0) most = Math.max(most, high - acknowledged);
    return true;
  };
  const sent = pattern(16 * MIB);
  const arrived = digest(server);
  client.end(sent);
  assert.equal((await pair.clock.resolve(arrived)).sha256, sha256(sent));
  assert.ok(most > MIB, `${most} bytes were in flight at most`);
});

test('a paused reader closes the window, the writer feels it, and reading opens it again', async () => {
  const pair = new Pair({ delayMs: 10 });
  const { client, server } = await connected(pair);
  let window = -1;
  pair.tap = (bytes, direction) => {
    if (direction === 'toClient') window = readPacket(bytes).window;
    return true;
  };
  const sent = pattern(4 * MIB);
  let written = false;
  client.write(sent, () => {
    written = true;
  });
  client.end();
  await pair.clock.advance(30_000);
  assert.equal(window, 0);
  assert.equal(written, false);
  assert.ok(server.readableLength <= 128 * 1024);
  const { bufferedBytes } = pair.server.stats();
  assert.ok(bufferedBytes <= 512 * 1024, `${bufferedBytes} bytes held for a reader that never read`);
  const got = await pair.clock.resolve(digest(server));
  assert.deepEqual(got, { length: sent.length, sha256: sha256(sent) });
  assert.equal(written, true);
});

test('a window that opens while the update is lost is found by a probe', async () => {
  const pair = new Pair({ delayMs: 10 });
  const { client, server } = await connected(pair);
  const sent = pattern(MIB);
  client.end(sent);
  await pair.clock.advance(5_000);
  pair.tap = (_, direction) => direction === 'toServer';
  const arrived = digest(server);
  await pair.clock.advance(100);
  pair.tap = () => true;
  assert.equal((await pair.clock.resolve(arrived)).sha256, sha256(sent));
});

test('a closed window is probed ever more slowly, and for as long as the peer answers', async () => {
  const peer = new HandPeer();
  const socket = await peer.open();
  peer.window = 0;
  peer.send();
  socket.write('waiting');
  assert.equal(peer.take().length, 0);
  const times: number[] = [];
  const start = peer.clock.monotonic();
  while (peer.clock.monotonic() - start < 600_000) {
    await peer.clock.advance(100);
    for (const probe of peer.take()) {
      assert.equal(probe.payload.length, 0);
      times.push(peer.clock.monotonic() - start);
      peer.send();
    }
  }
  const gaps = times.slice(1).map((at, i) => at - times[i]!);
  assert.ok(times.length >= 10 && times.length < 25, `${times.length} probes`);
  assert.ok(gaps.every((gap, i) => i === 0 || gap >= gaps[i - 1]! - 100));
  assert.equal(socket.destroyed, false);
  peer.window = 1_000;
  peer.send();
  assert.equal(String(Buffer.from(peer.takeOne().payload)), 'waiting');
});

test('a closed window whose peer is silent ends in ETIMEDOUT', async () => {
  const peer = new HandPeer();
  const socket = await peer.open();
  peer.window = 0;
  peer.send();
  let code = '';
  socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code ?? '';
  });
  socket.write('waiting');
  await peer.clock.advance(400_000);
  assert.equal(code, 'ETIMEDOUT');
});

test('no more than the window is ever sent, to the byte', async () => {
  const peer = new HandPeer();
  const socket = await peer.open();
  peer.window = 2_500;
  peer.send();
  socket.write(Buffer.alloc(10_000));
  const lengths = peer.take().map(({ payload }) => payload.length);
  assert.deepEqual(lengths, [1_000, 1_000], 'a runt waits while something is in flight');
  peer.ack = (peer.ack + 2_000) >>> 0;
  peer.window = 400;
  peer.send();
  assert.deepEqual(peer.take(), []);
  await peer.clock.advance(300);
  assert.deepEqual(
    peer.take().map(({ payload }) => payload.length),
    [400],
    'the override timer sends what fits',
  );
});

test('a reader that takes little by little is not offered silly windows', async () => {
  const peer = new HandPeer({ bufferSize: 16 * 1024 });
  const socket = await peer.open();
  // Fills the stack's buffer and the stream's.
  const room = () => peer.take().at(-1)?.window ?? -1;
  for (let window = 1; window > 0; ) {
    peer.text(Buffer.alloc(1_000));
    await peer.clock.settle();
    const now = room();
    if (now >= 0) window = now;
  }
  const updates: number[] = [];
  for (let i = 0; i < 1_000; i++) {
    socket.read(100);
    await peer.clock.settle();
    updates.push(...peer.take().map(({ window }) => window));
  }
  assert.ok(updates.length > 0);
  for (const window of updates) assert.ok(window === 0 || window >= 1_000, `${window}`);
});

test('text beyond the offered window is not taken', async () => {
  const peer = new HandPeer({ bufferSize: 8 * 1024 });
  const socket = await peer.open();
  socket.pause();
  for (let i = 0; i < 300; i++) {
    peer.text(Buffer.alloc(1_000));
    await peer.clock.settle();
  }
  assert.ok(socket.bytesRead <= 128 * 1024);
  assert.ok(peer.stack.stats().bufferedBytes <= 16 * 1024);
});

test('reading makes a sleeping connection cost nothing', async () => {
  const pair = new Pair();
  const { client, server } = await connected(pair);
  const arrived = collect(server);
  client.end(pattern(4 * MIB));
  server.end();
  client.resume();
  await pair.clock.resolve(arrived);
  await pair.clock.advance(1_000);
  assert.equal(pair.server.stats().bufferedBytes + pair.client.stats().bufferedBytes, 0);
});

test('a delayed acknowledgment comes within 40 ms, and every second full segment at once', async () => {
  const peer = new HandPeer();
  const socket = await peer.open();
  socket.resume();
  const segment = Buffer.alloc(1_380);
  for (let i = 0; i < 16; i++) peer.text(segment);
  assert.equal(peer.take().length, 16, 'the first ones quickly');
  peer.text(segment);
  await peer.clock.settle();
  assert.equal(peer.take().filter(({ flags }) => flags === FLAG.ACK).length, 0);
  peer.text(segment);
  assert.equal(peer.takeOne().ack, peer.seq);
  peer.text(segment);
  await peer.clock.advance(39);
  assert.equal(peer.take().length, 0);
  await peer.clock.advance(1);
  assert.equal(peer.takeOne().ack, peer.seq);
});

test('what fills a gap, and the end of the stream, are acknowledged at once', async () => {
  const peer = new HandPeer();
  const socket = await peer.open();
  socket.resume();
  for (let i = 0; i < 20; i++) peer.text(Uint8Array.of(1));
  await peer.clock.advance(100);
  peer.take();
  peer.send({ seq: peer.seq + 1, payload: Uint8Array.of(2) });
  assert.equal(peer.takeOne().ack, peer.seq);
  peer.send({ payload: Uint8Array.of(1) });
  assert.equal(peer.takeOne().ack, peer.seq + 2);
  peer.seq += 2;
  peer.send({ flags: FLAG.FIN | FLAG.ACK });
  assert.equal(peer.takeOne().ack, peer.seq + 1);
});
