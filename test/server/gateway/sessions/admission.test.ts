/** What is asked of whom while many want to come in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCrypto } from '../../../../server/crypto/node-crypto.ts';
import {
  addressHandshakes,
  credentialHandshakes,
  halfOpenAtEase,
  handshakesAtEasePerSecond,
  hardestPuzzleBits,
  lightestPuzzleBits,
} from '../../../../server/gateway/limits.ts';
import { Admission } from '../../../../server/gateway/sessions/admission.ts';
import { HalfOpen } from '../../../../server/half-open.ts';
import { RecentRate } from '../../../../server/recent-rate.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { loopbackPair } from '../../../support/loopback-carrier.ts';

function newAdmission() {
  const clock = new FakeClock();
  const load = { halfOpen: 0 };
  return { clock, load, admission: new Admission({ crypto: nodeCrypto, clock, halfOpen: () => load.halfOpen }) };
}

/** So many a second, for `seconds`, evenly. */
async function at(perSecond: number, seconds: number, clock: FakeClock, run: () => void): Promise<void> {
  for (let i = 0; i < perSecond * seconds; i++) {
    run();
    await clock.advance(1_000 / perSecond);
  }
}

test('a rate is what came in the last second or so', async () => {
  const clock = new FakeClock();
  const rate = new RecentRate(clock);
  await at(100, 5, clock, () => rate.note());
  assert.ok(Math.abs(rate.perSecond - 100) < 2, String(rate.perSecond));
  await clock.advance(1_000);
  assert.ok(rate.perSecond < 40);
  await clock.advance(10_000);
  assert.ok(rate.perSecond < 0.01);
});

test('at ease nobody is asked for anything', async () => {
  const { clock, admission } = newAdmission();
  await at(handshakesAtEasePerSecond / 2, 5, clock, () => {
    assert.equal(admission.demand(), undefined);
    assert.ok(admission.admit('one address'));
  });
});

test('QHX-4: many who bring nothing back are asked for a cookie alone; that costs others no puzzle', async () => {
  const { clock, admission } = newAdmission();
  await at(500, 2, clock, () => void admission.demand());
  assert.equal(admission.demand(), 0);
  await clock.advance(10_000);
  assert.equal(admission.demand(), undefined, 'it is over when they are gone');
});

test('QHX-4: the more get through, the harder the puzzle, up to the bits that a client solves', () => {
  const { admission, load } = newAdmission();
  const asked = [1, 1.1, 2, 4, 100].map((pressure) => {
    load.halfOpen = Math.ceil(halfOpenAtEase * pressure);
    return admission.difficulty;
  });
  assert.deepEqual(asked, [0, lightestPuzzleBits, lightestPuzzleBits + 4, hardestPuzzleBits, hardestPuzzleBits]);
  assert.ok(hardestPuzzleBits <= 20);
});

test('QHX-4: the work settles where a sender of a million hashes a second gets a few hundred handshakes', async () => {
  const { clock, admission } = newAdmission();
  const hashesPerMs = 1_000;
  let [budget, admitted] = [0, 0];
  for (let ms = 0; ms < 20_000; ms++) {
    budget += hashesPerMs;
    const bits = admission.demand() ?? 0;
    const cost = bits === 0 ? 0 : 2 ** bits;
    // A thousand addresses, so that no share of one is in the way.
    if (budget >= cost && admission.admit(`address ${ms % 1_000}`)) {
      budget -= cost;
      if (ms >= 10_000) admitted++;
    }
    await clock.advance(1);
  }
  const perSecond = admitted / 10;
  assert.ok(perSecond > handshakesAtEasePerSecond && perSecond < 4 * handshakesAtEasePerSecond, String(perSecond));
});

test('QHX-4: under load an address has a share, and does not spend what is another’s', async () => {
  const { load, clock, admission } = newAdmission();
  const admitted = (source: string, tries: number): number =>
    Array.from({ length: tries }, () => admission.admit(source)).filter((yes) => yes).length;
  load.halfOpen = halfOpenAtEase + 1;
  assert.equal(admitted('a', 500), addressHandshakes.burst);
  assert.equal(admitted('b', 500), addressHandshakes.burst);
  await clock.advance(1_000);
  assert.equal(admitted('a', 500), addressHandshakes.perSecond);
  load.halfOpen = 0;
  await clock.advance(10_000);
  assert.equal(admitted('a', 500), 500, 'at ease nothing is shared out');
});

test('QHX-4: a device has a share at all times', async () => {
  const { clock, admission } = newAdmission();
  const admitted = (id: string): number =>
    Array.from({ length: 300 }, () => admission.admitCredential(id)).filter((yes) => yes).length;
  assert.equal(admitted('laptop'), credentialHandshakes.burst);
  assert.equal(admitted('phone'), credentialHandshakes.burst);
  await clock.advance(1_000);
  assert.equal(admitted('laptop'), credentialHandshakes.perSecond);
});

test('QPT-9: a source with many half-open handshakes makes room before one with few', async () => {
  const waiting = new HalfOpen(10);
  const links = Array.from({ length: 12 }, () => loopbackPair());
  const isClosed = links.map(() => false);
  links.forEach((link, i) => void link.client.closed.then(() => (isClosed[i] = true)));
  waiting.add(links[0]!.gateway, 'patient');
  for (let i = 1; i < 12; i++) waiting.add(links[i]!.gateway, i % 2 === 0 ? 'greedy' : 'greedier');
  await Promise.all([links[1]!.client.closed, links[2]!.client.closed]);
  assert.deepEqual(
    isClosed,
    links.map((_, i) => i === 1 || i === 2),
  );
  assert.equal(waiting.size, 10);
  waiting.delete(links[1]!.gateway, 'greedier');
  assert.equal(waiting.size, 10, 'one that has made room is not counted again');
  for (const i of [0, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    for (const source of ['patient', 'greedy', 'greedier']) waiting.delete(links[i]!.gateway, source);
  assert.equal(waiting.size, 0);
});
