import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needsVectors } from '../support/vectors.ts';
import { fromHex, report, toHex, wycheproof } from './cases.ts';
import { decapsulateFrom, freshKernel, publicKeyOf, rawDecapsulate, rawGenerate } from './under-test.ts';

const underTest = freshKernel();
const { kernel } = underTest;

type Result = 'valid' | 'invalid';

test('QZ-13: ML-KEM-768 makes every key pair of Wycheproof from its seed, both halves', needsVectors, (t) => {
  let verified = 0;
  const cases = wycheproof<{ tcId: number; seed: string; ek: string; dk: string }>('mlkem_768_keygen_seed_test', 100);
  for (const c of cases) {
    const { ek, dk } = rawGenerate(underTest, fromHex(c.seed));
    assert.equal(toHex(ek), c.ek, `case ${c.tcId}`);
    assert.equal(toHex(dk), c.dk, `case ${c.tcId}`);
    assert.equal(toHex(publicKeyOf(kernel, fromHex(c.seed))), c.ek, `case ${c.tcId}`);
    verified++;
  }
  report(t, verified, 100, 'Wycheproof ML-KEM-768 key generations');
});

test(
  'QZ-13: ML-KEM-768 encapsulates as Wycheproof does and refuses keys that fail the modulus check',
  needsVectors,
  (t) => {
    type Case = { tcId: number; m: string; ek: string; c: string; K: string; result: Result };
    let verified = 0;
    for (const c of wycheproof<Case>('mlkem_768_encaps_test', 265)) {
      const encapsulate = () => kernel.mlkemEncapsulate(fromHex(c.ek), fromHex(c.m));
      if (c.result === 'valid') {
        const { ciphertext, secret } = encapsulate();
        assert.equal(toHex(ciphertext), c.c, `case ${c.tcId}`);
        assert.equal(toHex(secret), c.K, `case ${c.tcId}`);
      } else {
        assert.throws(encapsulate, RangeError, `case ${c.tcId}`);
      }
      verified++;
    }
    report(t, verified, 265, 'Wycheproof ML-KEM-768 encapsulations');
  },
);

test('QZ-13: ML-KEM-768 decapsulates from seeds as Wycheproof does, implicit rejection included', needsVectors, (t) => {
  type Case = { tcId: number; seed: string; ek?: string; c: string; K: string; result: Result };
  let verified = 0;
  for (const c of wycheproof<Case>('mlkem_768_test', 193)) {
    const decapsulate = () => decapsulateFrom(kernel, fromHex(c.seed), fromHex(c.c));
    if (c.result === 'valid') {
      assert.equal(toHex(publicKeyOf(kernel, fromHex(c.seed))), c.ek, `case ${c.tcId}`);
      assert.equal(toHex(decapsulate()), c.K, `case ${c.tcId}`);
    } else {
      assert.throws(
        decapsulate,
        (error) => error instanceof RangeError || error instanceof TypeError,
        `case ${c.tcId}`,
      );
    }
    verified++;
  }
  report(t, verified, 193, 'Wycheproof ML-KEM-768 decapsulations');
});

test('QZ-13: the module checks an expanded key by its hash; the product accepts none at all', needsVectors, (t) => {
  type Case = { tcId: number; dk: string; c: string; K?: string; result: Result };
  let verified = 0;
  for (const c of wycheproof<Case>('mlkem_768_semi_expanded_decaps_test', 9)) {
    const [dk, ciphertext] = [fromHex(c.dk), fromHex(c.c)];
    const refuses = () => assert.throws(() => decapsulateFrom(kernel, dk, ciphertext), `case ${c.tcId}`);
    refuses();
    if (dk.length === 2400 && ciphertext.length === 1088) {
      const secret = rawDecapsulate(underTest, dk, ciphertext);
      if (c.result === 'valid') assert.equal(toHex(secret!), c.K, `case ${c.tcId}`);
      else assert.equal(secret, null, `case ${c.tcId}`);
    } else {
      assert.equal(c.result, 'invalid');
    }
    verified++;
  }
  report(t, verified, 9, 'Wycheproof ML-KEM-768 decapsulations with an expanded key');
});
