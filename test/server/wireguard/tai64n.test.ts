import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeTai64n, isLater, StampIssuer } from '../../../server/wireguard/tai64n.ts';
import { FakeClock } from './fake-clock.ts';

test('writes seconds since 1970 in TAI, and nanoseconds without their low bits', () => {
  assert.equal(Buffer.from(encodeTai64n(0)).toString('hex'), '400000000000000a00000000');
  // 500 ms = 0x1dcd6500 ns
  assert.equal(Buffer.from(encodeTai64n(1_500)).toString('hex'), '400000000000000b1d000000');
});

test('orders by time, and a moment is not later than itself', () => {
  const moments = [0, 999, 1_000, 1_000 * 2 ** 32, 1_000 * 2 ** 33].map(encodeTai64n);
  for (const [n, moment] of moments.entries()) {
    assert.equal(isLater(moment, moment), false);
    for (const earlier of moments.slice(0, n)) {
      assert.equal(isLater(moment, earlier), true);
      assert.equal(isLater(earlier, moment), false);
    }
  }
});

test('stamps of one device only rise, whatever its clock does', () => {
  const clock = new FakeClock();
  const stamps = new StampIssuer(clock);
  let last = stamps.next();
  for (const skew of [0, 0, 1, -1_000, -1_000_000_000, 5_000, 5_000]) {
    clock.skewMs = skew;
    for (let n = 0; n < 100; n++) {
      const next = stamps.next();
      assert.equal(isLater(next, last), true);
      last = next;
    }
  }
});
