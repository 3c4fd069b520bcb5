import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cubic } from '../../../server/netstack/cubic.ts';

const S = 1_000;
const CEILING = 10_000_000;

function started(ceiling = CEILING): Cubic {
  const congestion = new Cubic(ceiling);
  congestion.start(S, false);
  return congestion;
}

/** One that lost a segment at `segments` in flight, at time 0. */
function reduced(segments: number): Cubic {
  const congestion = started();
  while (congestion.window < segments * S) congestion.onAcknowledged(S, congestion.window, 0, 100);
  congestion.onLoss(segments * S);
  return congestion;
}

/** Acknowledges whole windows, one each 100 ms, until `untilMs`. */
function run(congestion: Cubic, fromMs: number, untilMs: number): void {
  for (let now = fromMs; now <= untilMs; now += 100) {
    const { window } = congestion;
    for (let acknowledged = 0; acknowledged < window; acknowledged += S) {
      congestion.onAcknowledged(S, congestion.window, now, 100);
    }
  }
}

test('starts with ten segments, and with one after a lost SYN', () => {
  assert.equal(started().window, 10 * S);
  const careful = new Cubic(CEILING);
  careful.start(S, true);
  assert.equal(careful.window, S);
});

test('slow start grows by what was acknowledged', () => {
  const congestion = started();
  congestion.onAcknowledged(S, 10 * S, 0, 10);
  congestion.onAcknowledged(9 * S, 11 * S, 0, 10);
  assert.equal(congestion.window, 20 * S);
});

test('an unused window does not grow', () => {
  const congestion = started();
  congestion.onAcknowledged(S, 3 * S, 0, 10);
  assert.equal(congestion.window, 10 * S);
});

test('a loss leaves seven tenths, and never less than two segments', () => {
  assert.equal(reduced(100).window, 70 * S);
  const congestion = started();
  congestion.onLoss(S);
  assert.equal(congestion.window, 2 * S);
});

test('QPT-6: the window comes back to where the loss was after K seconds, stays near, and goes beyond (RFC 9438)', () => {
  const congestion = reduced(1_000);
  // K = cbrt(300 / 0.4), about 9.1 s.
  run(congestion, 0, 4_000);
  assert.ok(congestion.window > 850 * S && congestion.window < 990 * S, `${congestion.window} halfway`);
  run(congestion, 4_100, 9_000);
  assert.ok(Math.abs(congestion.window / S - 1_000) < 20, `${congestion.window} at K`);
  run(congestion, 9_100, 18_000);
  assert.ok(congestion.window > 1_200 * S, `${congestion.window} after twice K`);
});

test('with a small window and a short round trip it is never slower than Reno', () => {
  const congestion = reduced(10);
  run(congestion, 0, 3_000);
  // Reno's increase for this decrease: 0.53 segments a round trip, up to the old window.
  assert.ok(congestion.window >= 10 * S, `${congestion.window}`);
});

test('a second loss before the window has come back makes room: its next aim is lower', () => {
  const [first, second] = [reduced(100), reduced(100)];
  second.onLoss(70 * S);
  run(first, 0, 3_000);
  run(second, 0, 3_000);
  assert.ok(second.window < 0.8 * first.window, `${second.window} of ${first.window}`);
});

test('a timeout falls to one segment and slow start stops at seven tenths of what was in flight', () => {
  const congestion = started();
  congestion.onTimeout(10 * S, true);
  assert.equal(congestion.window, S);
  for (let i = 0; i < 6; i++) congestion.onAcknowledged(S, congestion.window, 0, 10);
  assert.equal(congestion.window, 7 * S);
  congestion.onAcknowledged(S, congestion.window, 0, 10);
  assert.ok(congestion.window < 7.5 * S, 'from here on it takes a whole window to grow');
});

test('never grows beyond its ceiling', () => {
  const congestion = started(12 * S);
  for (let i = 0; i < 50; i++) congestion.onAcknowledged(2 * S, congestion.window, 0, 10);
  assert.equal(congestion.window, 12 * S);
});
