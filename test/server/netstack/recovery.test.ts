/** How lost segments come again, seen segment by segment: RFC 5681, RFC 6298, RFC 6582. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TcpSocket } from '../../../server/netstack/socket.ts';
import { HandPeer } from './support/hand-peer.ts';
import type { Packet } from './support/packets.ts';

const S = 1_000;

/** A connection whose stack has just sent its initial window of `bytes`. */
async function sending(bytes: number): Promise<{ peer: HandPeer; socket: TcpSocket; first: number; sent: Packet[] }> {
  const peer = new HandPeer();
  const socket = await peer.open({ mss: S });
  const first = peer.ack;
  socket.write(Buffer.alloc(bytes));
  return { peer, socket, first, sent: peer.take() };
}

/** Acknowledges everything before segment `count`. */
function acknowledge(peer: HandPeer, first: number, count: number): void {
  peer.ack = (first + count * S) >>> 0;
  peer.send();
}

/** Which segments were sent, counted from the first. */
const numbers = (sent: readonly Packet[], first: number) => sent.map(({ seq }) => ((seq - first) >>> 0) / S);

test('ten segments leave at once, and each acknowledgment of two lets four follow', async () => {
  const { peer, first, sent } = await sending(100 * S);
  assert.deepEqual(numbers(sent, first), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  acknowledge(peer, first, 2);
  assert.deepEqual(numbers(peer.take(), first), [10, 11, 12, 13]);
});

test('after a lost SYN-ACK only one segment leaves', async () => {
  const peer = new HandPeer();
  const accepted = new Promise<TcpSocket>((resolve) => peer.stack.listen({ port: 80 }, resolve));
  peer.send({ flags: 2, ack: 0, mss: S });
  const [first] = peer.take();
  await peer.clock.advance(1_500);
  assert.equal(peer.takeOne().seq, first!.seq);
  peer.seq++;
  peer.ack = (first!.seq + 1) >>> 0;
  peer.send();
  (await accepted).write(Buffer.alloc(5 * S));
  assert.equal(peer.take().length, 1);
});

test('two duplicates let one new segment out each, the third repeats the lost one before any timer', async () => {
  const { peer, first } = await sending(40 * S);
  for (const expected of [[10], [11], [0]]) {
    peer.send();
    assert.deepEqual(numbers(peer.take(), first), expected);
  }
});

test('a partial acknowledgment repeats the next hole at once, a full one ends recovery with the lower window', async () => {
  const { peer, first } = await sending(40 * S);
  for (let i = 0; i < 3; i++) peer.send();
  peer.take();
  acknowledge(peer, first, 4);
  assert.equal(numbers(peer.take(), first)[0], 4);
  acknowledge(peer, first, 12);
  const after = numbers(peer.take(), first);
  assert.ok(after.length >= 1 && after.length <= 8, `${after}`);
  assert.ok(after.every((number) => number >= 12));
});

test('a timeout goes back to the first unacknowledged segment with a window of one', async () => {
  const { peer, first } = await sending(40 * S);
  await peer.clock.advance(250);
  assert.deepEqual(numbers(peer.take(), first), [0]);
  acknowledge(peer, first, 1);
  assert.deepEqual(numbers(peer.take(), first), [1, 2]);
  acknowledge(peer, first, 10);
  assert.ok(
    numbers(peer.take(), first).every((number) => number >= 10),
    'what arrived is not sent a third time',
  );
});

test('each further timeout waits twice as long', async () => {
  const { peer } = await sending(S);
  const start = peer.clock.monotonic();
  const times: number[] = [];
  while (times.length < 5) {
    await peer.clock.advance(10);
    if (peer.take().length > 0) times.push(peer.clock.monotonic() - start);
  }
  assert.deepEqual(times, [200, 600, 1_400, 3_000, 6_200]);
});

/** Writes one segment more and loses it. @returns how long its repetition is waited for */
async function timeoutOf(peer: HandPeer, socket: TcpSocket): Promise<number> {
  const start = peer.clock.monotonic();
  socket.write(Buffer.alloc(S));
  peer.take();
  await peer.clock.until(() => peer.take().length > 0);
  return peer.clock.monotonic() - start;
}

test('QPT-6: what waited behind a gap is no round trip when the gap is filled', async () => {
  const { peer, socket, first } = await sending(3 * S);
  await peer.clock.advance(2_900);
  acknowledge(peer, first, 3);
  // Doubled three times: 200, 600 and 1,400 ms after the first.
  assert.equal(await timeoutOf(peer, socket), 1_600);
});

test('QPT-6: an answer that comes a round trip after a repetition ends the doubling', async () => {
  const { peer, socket, first } = await sending(3 * S);
  await peer.clock.advance(3_000);
  acknowledge(peer, first, 3);
  assert.equal(await timeoutOf(peer, socket), 200);
});

test('duplicates of what a timeout repeated in vain do not start another recovery', async () => {
  const { peer, first } = await sending(10 * S);
  await peer.clock.advance(250);
  peer.take();
  acknowledge(peer, first, 5);
  peer.take();
  for (let i = 0; i < 5; i++) peer.send();
  assert.ok(!numbers(peer.take(), first).includes(5));
});

test('after a pause longer than the timeout no more than the initial window leaves at once', async () => {
  const { peer, socket, first } = await sending(60 * S);
  for (let count = 10; count <= 60; count += 10) acknowledge(peer, first, count);
  peer.take();
  await peer.clock.advance(10_000);
  socket.write(Buffer.alloc(60 * S));
  assert.equal(peer.take().length, 10);
});

test('a window update is no duplicate', async () => {
  const { peer, first } = await sending(10 * S);
  for (let i = 1; i <= 6; i++) {
    peer.window -= 100;
    peer.send();
  }
  assert.ok(!numbers(peer.take(), first).includes(0));
});
