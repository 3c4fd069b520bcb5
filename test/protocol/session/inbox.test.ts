import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WindowBudget } from '../../../protocol/flow-control.ts';
import { initialCreditBytes } from '../../../protocol/limits.ts';
import { datagramCostBytes, maxUnreadDatagramBytes } from '../../../protocol/session-limits.ts';
import { StreamError } from '../../../protocol/stream-error.ts';
import { StreamInbox } from '../../../protocol/stream-inbox.ts';

function newInbox(grants: number[], keepBoundaries = false): StreamInbox {
  const host = { budget: new WindowBudget(), now: () => 1_000_000, roundTripMs: () => 0 };
  return new StreamInbox({ ...host, grant: (bytes) => grants.push(bytes) }, keepBoundaries);
}

test('what the reader takes is granted again, until the peer has finished', async () => {
  const grants: number[] = [];
  const inbox = newInbox(grants);
  const half = new Uint8Array(initialCreditBytes / 2);
  inbox.take(half);
  await inbox.read();
  assert.equal(grants.length, 1);
  inbox.take(half);
  inbox.end();
  assert.equal((await inbox.read())?.length, half.length);
  assert.equal(await inbox.read(), null);
  assert.equal(await inbox.read(), null);
  assert.equal(grants.length, 1, 'nobody would use it');
});

test('a failure drops what waits, and a reader never gets a part of it for the whole', async () => {
  const inbox = newInbox([]);
  inbox.take(Uint8Array.of(1));
  inbox.fail(new StreamError('truncated'));
  assert.equal(inbox.buffered, 0);
  await assert.rejects(inbox.read(), { code: 'truncated' });
  inbox.take(Uint8Array.of(2));
  assert.equal(inbox.buffered, 0);
});

test('one read at a time', async () => {
  const inbox = newInbox([]);
  const first = inbox.read();
  await assert.rejects(inbox.read(), TypeError);
  inbox.take(Uint8Array.of(1));
  assert.deepEqual(await first, Uint8Array.of(1));
});

test('a chunk is the reader’s own, not a view of what the next record overwrites', async () => {
  const inbox = newInbox([]);
  const shared = Uint8Array.of(1, 2, 3);
  const waiting = inbox.read();
  inbox.take(shared);
  inbox.take(shared);
  shared.fill(9);
  assert.deepEqual(await waiting, Uint8Array.of(1, 2, 3));
  assert.deepEqual(await inbox.read(), Uint8Array.of(1, 2, 3));
});

test('QZ-2: datagrams of no bytes cost room too: a reader who pauses keeps a bounded number of them', async () => {
  const empty = new Uint8Array(0);
  const beside = newInbox([], true);
  const taken = Array.from({ length: 100_000 }, () => beside.takeDatagram(empty)).filter((yes) => yes).length;
  assert.equal(taken, maxUnreadDatagramBytes / datagramCostBytes);
  for (let i = 0; i < taken; i++) assert.equal((await beside.read())?.length, 0);
  assert.equal(beside.takeDatagram(empty), true, 'there is room again');

  const inside = newInbox([], true);
  for (let i = 0; i < 100_000; i++) inside.take(empty);
  inside.end();
  let kept = 0;
  while ((await inside.read()) !== null) kept++;
  assert.equal(kept, maxUnreadDatagramBytes / datagramCostBytes);
});

test('a datagram inside the stream that finds no room gives its credit back', () => {
  const grants: number[] = [];
  const inbox = newInbox(grants, true);
  const room = maxUnreadDatagramBytes / datagramCostBytes;
  for (let i = 0; i < room; i++) inbox.take(new Uint8Array(0));
  for (let i = 0; i < 2 * initialCreditBytes; i += 1_024) inbox.take(new Uint8Array(1_024));
  assert.ok(grants.reduce((sum, bytes) => sum + bytes, 0) >= initialCreditBytes);
  assert.equal(inbox.buffered, 0);
});
