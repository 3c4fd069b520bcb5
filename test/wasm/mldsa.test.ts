/** ML-DSA-65 of the shipped module against @noble and CCTV's accumulation; the other published vectors run in test/server/crypto. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shake128 } from '@noble/hashes/sha3.js';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { concat, utf8 } from '../../protocol/bytes.ts';
import { inLong } from '../support/long.ts';
import { needsVectors, vectorJson } from '../support/vectors.ts';
import { report, toHex } from './cases.ts';
import { seeded } from './seeded.ts';
import { freshKernel } from './under-test.ts';

const { mldsa } = freshKernel().kernel;
const none = new Uint8Array(0);
const zeros = new Uint8Array(32);
/** Where the hint's 55 places and six counts stand in a signature. */
const [hintAt, countsAt] = [3_248, 3_248 + 55];

const accumulated = inLong(100, 10_000);

test(`QHX-11: ${accumulated} keys and deterministic signatures are CCTV's`, needsVectors, (t) => {
  const wanted = vectorJson<Record<string, Record<string, string>>>('cctv/accumulated.json')['ML-DSA-65']!;
  const [seeds, all] = [shake128.create({}), shake128.create({})];
  for (let round = 0; round < accumulated; round++) {
    const seed = seeds.xof(32);
    all.update(mldsa.publicKey(seed)).update(mldsa.sign(seed, none, none, zeros));
  }
  assert.equal(toHex(all.xof(32)), wanted[`${accumulated}`]);
  report(t, accumulated, accumulated, 'ML-DSA-65 keys and signatures');
});

const rounds = inLong(100, 5_000);

test(`QHX-11: ${rounds} signatures of random keys, messages and contexts are @noble's to the byte, and verify`, (t) => {
  const random = seeded();
  for (let round = 0; round < rounds; round++) {
    const what = `round ${round}, LATCHKEY_SEED=${random.seed}`;
    const [seed, entropy] = [random.bytes(32), random.bytes(32)];
    const { publicKey, secretKey } = ml_dsa65.keygen(seed);
    const context = random.bytes(random.below(256));
    // Around the words and blocks of the sponge, now and then as long as the door is.
    const message = random.bytes(round % 20 === 0 ? 16_382 - context.length : random.below(500));
    const signature = mldsa.sign(seed, message, context, entropy);
    assert.deepEqual(mldsa.publicKey(seed), publicKey, what);
    assert.deepEqual(signature, ml_dsa65.sign(message, secretKey, { context, extraEntropy: entropy }), what);
    assert.equal(mldsa.verify(publicKey, message, context, signature), true, what);
    const at = random.below(signature.length);
    signature[at]! ^= 1 << random.below(8);
    const verdict = mldsa.verify(publicKey, message, context, signature);
    assert.equal(verdict, false, `${what}, byte ${at}`);
    assert.equal(ml_dsa65.verify(signature, message, publicKey, { context }), verdict, what);
  }
  report(t, rounds, rounds, `rounds, LATCHKEY_SEED=${random.seed}`);
});

/** What else is wrong with a signature, its bounds above all, is asked by Wycheproof's in test/server/crypto. */
test('QHX-11: a signature has one encoding: the same hint in another order, twice, or with something behind it is refused', () => {
  const seed = new Uint8Array(32).fill(7);
  const key = mldsa.publicKey(seed);
  const message = utf8('a message');
  const signature = mldsa.sign(seed, message, none, zeros);
  const changed = (change: (copy: Uint8Array) => void): Uint8Array => {
    const copy = signature.slice();
    change(copy);
    return copy;
  };
  const counts = signature.subarray(countsAt);
  assert.ok(counts[0]! >= 2, 'its first row has two hints to put in another order');
  assert.ok(counts[5]! < 55, 'there is room behind the last one');
  const refused = {
    'two hints of a row in another order': changed((copy) => copy.set([copy[hintAt + 1]!, copy[hintAt]!], hintAt)),
    'a hint twice, and all behind it one further on': changed((copy) => {
      copy.copyWithin(hintAt + 1, hintAt, countsAt - 1);
      for (let row = countsAt; row < copy.length; row++) copy[row]! += 1;
    }),
    'something behind the last hint': changed((copy) => copy.set([1], countsAt - 1)),
    'another challenge': changed((copy) => copy.set([copy[0]! ^ 1], 0)),
    'a byte less': signature.subarray(1),
    'a byte more': concat(signature, Uint8Array.of(0)),
    nothing: none,
  };
  assert.equal(mldsa.verify(key, message, none, signature), true, 'the signature itself');
  for (const [what, wrong] of Object.entries(refused))
    assert.equal(mldsa.verify(key, message, none, wrong), false, what);
  assert.equal(mldsa.verify(key.subarray(1), message, none, signature), false, 'a short key');
  assert.equal(mldsa.verify(key, message, Uint8Array.of(1), signature), false, 'another context');
  assert.equal(mldsa.verify(key, new Uint8Array(16_383), none, signature), false, 'a message beyond the door');
  assert.equal(mldsa.verify(key, none, new Uint8Array(256), signature), false, 'a context beyond 255 bytes');
});

test('refuses to sign what is longer than its doors and with seeds of another length, and keeps nothing of them', () => {
  const { kernel, memory } = freshKernel();
  const before = memory.slice();
  const seed = new Uint8Array(32).fill(7);
  const message = new Uint8Array(20).fill(8);
  assert.throws(() => kernel.mldsa.sign(seed, new Uint8Array(16_383), none, zeros), RangeError);
  assert.throws(() => kernel.mldsa.sign(seed, message, new Uint8Array(256), zeros), RangeError);
  assert.throws(() => kernel.mldsa.sign(seed.subarray(1), message, none, zeros), TypeError);
  assert.throws(() => kernel.mldsa.sign(seed, message, none, new Uint8Array(33)), TypeError);
  assert.throws(() => kernel.mldsa.publicKey(new Uint8Array(64).fill(9)), TypeError);
  assert.deepEqual(memory, before);
});
