import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Crypto, KeyOffer } from '../../protocol/crypto.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';
import { wasmCrypto } from '../../wasm/crypto.ts';
import { PreparedOffers, quietMs, readyMs } from '../../worker/tunnel/prepared-offers.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { toHex } from '../wasm/cases.ts';
import { seeded } from '../wasm/seeded.ts';
import { freshKernel } from '../wasm/under-test.ts';

/** A tunnel's surroundings, and a record of every offer that was made and of every wipe. */
function watched() {
  const made: KeyOffer[] = [];
  const wiped: KeyOffer[] = [];
  const offer = (): KeyOffer => {
    const real = nodeCrypto.offer();
    const seen: KeyOffer = {
      share: real.share,
      finish: (answer) => real.finish(answer),
      wipe() {
        wiped.push(seen);
        real.wipe();
      },
    };
    made.push(seen);
    return seen;
  };
  const clock = new FakeClock();
  const traffic = { sealed: 0 };
  const offers = new PreparedOffers({ ...nodeCrypto, offer } satisfies Crypto, clock, () => traffic.sealed);
  return { made, wiped, clock, traffic, offers };
}

test('QZ-11: an offer that is announced is made ahead once the tunnel is quiet, and handed out', async () => {
  const { made, clock, offers } = watched();
  await clock.advance(100 * quietMs);
  assert.equal(made.length, 0, 'nothing is made that nobody announced');
  offers.prepare();
  assert.equal(made.length, 0, 'nothing is made on the spot');
  await clock.advance(quietMs);
  offers.prepare();
  await clock.advance(2 * quietMs);
  assert.equal(made.length, 1, 'one is ready, and one is enough');
  assert.equal(offers.crypto.offer(), made[0]);
  await clock.advance(100 * quietMs);
  assert.equal(made.length, 1, 'the next one waits until it is announced');
  assert.equal(clock.pending, 0);
});

test('QZ-18: an offer nobody took within seconds is wiped, however often it was announced', async () => {
  const { made, wiped, clock, offers } = watched();
  offers.prepare();
  await clock.advance(readyMs - 1);
  offers.prepare();
  assert.deepEqual([made.length, wiped.length], [1, 0]);
  await clock.advance(1);
  assert.deepEqual(wiped, made);
  assert.notEqual(offers.crypto.offer(), made[0]);
  assert.equal(clock.pending, 0);
});

test('QZ-18: a tunnel that was frozen hands out no offer from before, even before its timers run', async () => {
  const { made, wiped, clock, offers } = watched();
  offers.prepare();
  await clock.advance(quietMs);
  const monotonic = clock.monotonic.bind(clock);
  clock.monotonic = () => monotonic() + readyMs;
  assert.notEqual(offers.crypto.offer(), made[0]);
  assert.deepEqual(wiped, [made[0]]);
});

test('QZ-11: while records are sealed none is made ahead, and whoever asks gets a fresh one', async () => {
  const { made, clock, traffic, offers } = watched();
  offers.prepare();
  for (let i = 0; i < 10; i++) {
    traffic.sealed++;
    await clock.advance(quietMs);
  }
  assert.equal(made.length, 0);
  await clock.advance(quietMs);
  assert.equal(made.length, 1, 'the tunnel fell quiet');
  offers.wipe();
});

test('QZ-11: a tunnel that is busy until its announcement is over makes none', async () => {
  const { made, clock, traffic, offers } = watched();
  offers.prepare();
  for (let ms = 0; ms < readyMs; ms += quietMs) {
    traffic.sealed++;
    await clock.advance(quietMs);
  }
  await clock.advance(100 * quietMs);
  assert.deepEqual([made.length, clock.pending], [0, 0]);
});

test('QZ-18: no offer is handed out twice, whatever the order of asking, waiting and traffic', async () => {
  const random = seeded();
  const { made, wiped, clock, traffic, offers } = watched();
  const handed: KeyOffer[] = [];
  for (let step = 0; step < 400; step++) {
    const choice = random.below(5);
    if (choice === 0) handed.push(offers.crypto.offer());
    else if (choice === 1) traffic.sealed++;
    else if (choice === 2) offers.prepare();
    else await clock.advance(random.below(2 * quietMs));
  }
  offers.wipe();
  const seed = `LATCHKEY_SEED=${random.seed}`;
  assert.ok(handed.length > 50, seed);
  assert.equal(new Set(handed.map(({ share }) => toHex(share))).size, handed.length, seed);
  // Every offer was handed out, and then it is the taker's, or wiped.
  assert.ok(
    wiped.every((offer) => !handed.includes(offer)),
    seed,
  );
  assert.equal(handed.length + wiped.length, made.length, seed);
});

test('QZ-18: with the tunnel the waiting offer is wiped, and none is made ahead any more', async () => {
  const { made, wiped, clock, offers } = watched();
  offers.prepare();
  await clock.advance(quietMs);
  offers.wipe();
  assert.equal(made.length, 1);
  assert.deepEqual(wiped, made);
  offers.prepare();
  const answer = nodeCrypto.answer(made[0]!.share).share;
  assert.throws(() => made[0]!.finish(answer), TypeError);
  assert.notEqual(offers.crypto.offer(), made[0]);
  assert.equal(clock.pending, 0);
});

test('QZ-18: a tunnel that ends before it was ever quiet leaves no timer', () => {
  const { clock, offers, made } = watched();
  offers.prepare();
  offers.wipe();
  assert.deepEqual([clock.pending, made.length], [0, 0]);
});

test('QZ-11: an offer made ahead in the Wasm completes an exchange and leaves no key in its memory', async () => {
  const { kernel, raw, memory } = freshKernel();
  const random = seeded();
  const wasm = wasmCrypto(kernel, { random: random.bytes, verify: nodeCrypto.verify });
  const clock = new FakeClock();
  const offers = new PreparedOffers(wasm, clock, () => kernel.sealed());
  const keys = () => {
    const now = memory.slice();
    for (const [door, length] of [['KEM_EK', 1184] as const, ['KEM_CIPHERTEXT', 1088] as const, ['POINT', 32] as const])
      now.fill(0, raw[door].value, raw[door].value + length);
    return Buffer.from(now);
  };
  const never = keys();
  offers.prepare();
  await clock.advance(quietMs);
  assert.ok(!keys().equals(never), 'the key waits in the module');
  const offer = offers.crypto.offer();
  const answer = nodeCrypto.answer(offer.share);
  assert.equal(toHex(offer.finish(answer.share)), toHex(answer.secret), `LATCHKEY_SEED=${random.seed}`);
  assert.ok(keys().equals(never), 'nothing is left of it');
  offers.prepare();
  await clock.advance(quietMs);
  assert.ok(!keys().equals(never), 'the next key waits in the module');
  await clock.advance(readyMs);
  assert.ok(keys().equals(never), 'nothing is left of the next one either');
});
