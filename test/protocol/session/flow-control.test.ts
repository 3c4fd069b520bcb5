import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReceiveWindow, SendCredit, WindowBudget } from '../../../protocol/flow-control.ts';
import { initialCreditBytes, maxCreditBytes } from '../../../protocol/limits.ts';
import { ReceiveQueue } from '../../../protocol/receive-queue.ts';
import { windowGrowthBytes } from '../../../protocol/session-limits.ts';
import type { Stream } from '../../../protocol/stream.ts';
import { settled } from '../../support/fake-clock.ts';
import { newPair } from './pair.ts';

const mib = 1024 * 1024;

test('a paused reader stops the writer at its credit, and no sealed record waits anywhere', async () => {
  const { open, link } = await newPair();
  const stream = await open();
  let written = 0;
  const writing = (async () => {
    for (let i = 0; i < 64; i++) {
      await stream.gateway.write(new Uint8Array(16 * 1024));
      written += 16 * 1024;
    }
    await stream.gateway.finish();
  })();
  await settled();
  assert.equal(stream.client.buffered, initialCreditBytes);
  assert.ok(written <= initialCreditBytes);
  assert.equal(link.unread, 0);
  let received = 0;
  for (let chunk = await stream.client.read(); chunk; chunk = await stream.client.read()) received += chunk.length;
  assert.equal(received, mib);
  await writing;
});

test('a paused stream does not hold up another', async () => {
  const { open } = await newPair();
  const [paused, other] = [await open(), await open()];
  const stuck = paused.gateway.write(new Uint8Array(mib));
  stuck.catch(() => {});
  await settled();
  await other.gateway.write(Uint8Array.of(7));
  assert.deepEqual(await other.client.read(), Uint8Array.of(7));
  paused.client.reset('cancelled');
  await assert.rejects(stuck, { code: 'cancelled' });
});

test('a writer that waits for credit hears of the end of the session', async () => {
  const { open, client } = await newPair();
  const stream = await open();
  const stuck = stream.gateway.write(new Uint8Array(mib));
  stuck.catch(() => {});
  await settled();
  client.close('done');
  await assert.rejects(stuck, { code: 'session_closed' });
});

/** Sends `total` bytes to a reader that takes them as they come; returns the most that ever waited. */
async function transfer(from: Stream, to: Stream, total: number, unread: () => number): Promise<number> {
  const block = new Uint8Array(256 * 1024);
  const writing = (async () => {
    for (let at = 0; at < total; at += block.length) await from.write(block);
    await from.finish();
  })();
  let [received, most] = [0, 0];
  for (let chunk = await to.read(); chunk; chunk = await to.read()) {
    received += chunk.length;
    most = Math.max(most, to.buffered + unread());
  }
  await writing;
  assert.equal(received, total);
  return most;
}

test('64 MiB down and 16 MiB up at once, with a bounded amount in memory', async () => {
  const { open, link } = await newPair();
  const [down, up] = [await open(), await open()];
  const unread = (): number => link.unread;
  const [most] = await Promise.all([
    transfer(down.gateway, down.client, 64 * mib, unread),
    transfer(up.client, up.gateway, 16 * mib, unread),
  ]);
  assert.ok(most <= 17 * mib, `${most} bytes waited`);
});

test('a window that limits the rate grows by what was measured, to 16 MiB and no further', () => {
  const window = new ReceiveWindow(new WindowBudget(), 0);
  const roundTripMs = 100;
  let [now, previous] = [0, window.size];
  // a sender that always uses the whole window: half of it every half round trip
  for (let i = 0; i < 30; i++) {
    const bytes = window.size / 2;
    now += roundTripMs / 2;
    window.received(bytes);
    const grant = window.consumed(bytes, now, roundTripMs);
    assert.equal(grant, bytes + window.size - previous);
    assert.ok(window.size <= 2 * previous);
    previous = window.size;
  }
  assert.equal(window.size, maxCreditBytes);
});

test('a window that is not the limit stays as it is', () => {
  const window = new ReceiveWindow(new WindowBudget(), 0);
  for (let now = 1_000; now < 20_000; now += 1_000) {
    window.received(initialCreditBytes / 2);
    window.consumed(initialCreditBytes / 2, now, 20);
  }
  assert.equal(window.size, initialCreditBytes);
});

test('all windows of a session together grow by no more than their budget', () => {
  const budget = new WindowBudget();
  const windows = Array.from({ length: 8 }, () => new ReceiveWindow(budget, 0));
  for (let round = 1; round < 20; round++)
    for (const window of windows) {
      const bytes = Math.ceil(window.size / 2);
      window.received(bytes);
      window.consumed(bytes, round * 50, 100);
    }
  const grown = windows.reduce((sum, window) => sum + window.size - initialCreditBytes, 0);
  assert.equal(grown, windowGrowthBytes);
  for (const window of windows) window.release();
  assert.equal(budget.take(Number.MAX_SAFE_INTEGER), windowGrowthBytes);
});

test('grants wait for half a window', () => {
  const window = new ReceiveWindow(new WindowBudget(), 0);
  window.received(initialCreditBytes);
  assert.equal(window.consumed(initialCreditBytes / 2 - 1, 1e9, 1), 0);
  assert.equal(window.consumed(1, 1e9, 1), initialCreditBytes / 2);
  assert.throws(() => window.received(initialCreditBytes / 2 + 1), { code: 'too_many' });
});

test('credit is taken in parts, or whole where a datagram needs it', async () => {
  const credit = new SendCredit();
  assert.equal(await credit.take(1, initialCreditBytes - 10), initialCreditBytes - 10);
  assert.equal(await credit.take(1, 100), 10);
  const whole = credit.take(50, 50);
  credit.grant(49);
  credit.grant(1);
  assert.equal(await whole, 50);
  const stopped = credit.take(1, 1);
  credit.stop();
  assert.equal(await stopped, 0);
});

test('a backlog of tiny records costs about as much as its bytes', () => {
  const queue = new ReceiveQueue(false);
  for (let i = 0; i < 100_000; i++) queue.push(Uint8Array.of(i & 0xff));
  assert.equal(queue.length, 100_000);
  let [chunks, at, held] = [0, 0, 0];
  for (let chunk = queue.shift(); chunk; chunk = queue.shift()) {
    chunks++;
    held += chunk.buffer.byteLength;
    for (const byte of chunk) assert.equal(byte, at++ & 0xff);
  }
  assert.equal(at, 100_000);
  assert.ok(chunks < 30 && held < 110_000, `${chunks} chunks, ${held} bytes`);
  assert.equal(queue.isEmpty, true);
});

test('a datagram is never joined to another', () => {
  const queue = new ReceiveQueue(true);
  for (let i = 0; i < 200; i++) queue.push(new Uint8Array(i % 3));
  for (let i = 0; i < 200; i++) assert.equal(queue.shift()?.length, i % 3);
  assert.equal(queue.shift(), undefined);
});
