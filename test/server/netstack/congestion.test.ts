import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NewReno } from '../../../server/netstack/congestion.ts';

const S = 1_000;
const CEILING = 10_000_000;

function started(): NewReno {
  const congestion = new NewReno(CEILING);
  congestion.start(S, false);
  return congestion;
}

test('starts with ten segments, and with one after a lost SYN', () => {
  assert.equal(started().window, 10 * S);
  const careful = new NewReno(CEILING);
  careful.start(S, true);
  assert.equal(careful.window, S);
});

test('slow start grows by what was acknowledged, two segments at most for each acknowledgment', () => {
  const congestion = started();
  congestion.onAcknowledged(S, 10 * S);
  congestion.onAcknowledged(2 * S, 10 * S);
  congestion.onAcknowledged(9 * S, 12 * S);
  assert.equal(congestion.window, 15 * S);
});

test('an unused window does not grow', () => {
  const congestion = started();
  congestion.onAcknowledged(S, 3 * S);
  assert.equal(congestion.window, 10 * S);
});

test('three duplicates halve what is in flight and count the three segments that left', () => {
  const congestion = started();
  congestion.onLoss(10 * S);
  assert.equal(congestion.window, 8 * S);
  congestion.onDuplicate();
  assert.equal(congestion.window, 9 * S);
  congestion.onPartial(3 * S);
  assert.equal(congestion.window, 7 * S);
  congestion.onRecovered(4 * S);
  assert.equal(congestion.window, 5 * S);
});

test('congestion avoidance grows by one segment a window', () => {
  const congestion = started();
  congestion.onLoss(20 * S);
  congestion.onRecovered(20 * S);
  assert.equal(congestion.window, 10 * S);
  for (let i = 0; i < 10; i++) congestion.onAcknowledged(S, 10 * S);
  assert.equal(congestion.window, 11 * S);
});

test('a timeout falls to one segment and slow start stops at half of what was in flight', () => {
  const congestion = started();
  congestion.onTimeout(8 * S, true);
  assert.equal(congestion.window, S);
  for (let i = 0; i < 3; i++) congestion.onAcknowledged(S, congestion.window);
  assert.equal(congestion.window, 4 * S);
  congestion.onAcknowledged(S, congestion.window);
  assert.equal(congestion.window, 4 * S, 'from here on it takes a whole window to grow');
});

test('never grows beyond its ceiling', () => {
  const congestion = new NewReno(12 * S);
  congestion.start(S, false);
  for (let i = 0; i < 50; i++) congestion.onAcknowledged(2 * S, congestion.window);
  assert.equal(congestion.window, 12 * S);
});
