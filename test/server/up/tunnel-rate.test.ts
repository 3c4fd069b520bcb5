import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceTunnels, TunnelRate, tunnelsAtEasePerSecond } from '../../../server/up/tunnel-rate.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** @returns how many of so many were let in. */
const admitted = (rate: TunnelRate, count: number, addressOf: (n: number) => string): number =>
  Array.from({ length: count }, (_, n) => rate.admit(addressOf(n))).filter(Boolean).length;

test('at ease one address begins as many tunnels as it likes', async () => {
  const clock = new FakeClock();
  const rate = new TunnelRate(clock);
  for (let second = 0; second < 60; second++) {
    assert.equal(
      admitted(rate, tunnelsAtEasePerSecond / 2, () => '192.0.2.1'),
      tunnelsAtEasePerSecond / 2,
    );
    await clock.advance(1_000);
  }
});

test('QHX-4: while many come an address has its share, and others have theirs', async () => {
  const clock = new FakeClock();
  const rate = new TunnelRate(clock);
  const flood = () => admitted(rate, 5_000, () => '192.0.2.1');
  assert.equal(flood(), tunnelsAtEasePerSecond + sourceTunnels.burst);
  assert.ok(rate.admit('192.0.2.2'));
  await clock.advance(1_000);
  assert.equal(flood(), sourceTunnels.perSecond);
  assert.ok(rate.admit('192.0.2.2'));
});

const sources: readonly [one: string, other: string, same: boolean][] = [
  ['2001:db8:0:1::1', '2001:db8:0:1:ffff::9', true],
  ['2001:db8:0:1::1', '2001:db8:0:2::1', false],
  ['::ffff:192.0.2.1', '192.0.2.1', true],
];
for (const [one, other, same] of sources)
  test(`QHX-4: ${one} and ${other} have ${same ? 'one share' : 'a share each'}`, () => {
    const rate = new TunnelRate(new FakeClock());
    admitted(rate, 5_000, () => one);
    assert.equal(rate.admit(other), !same);
  });
