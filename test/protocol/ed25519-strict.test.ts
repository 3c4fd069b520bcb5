import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unhex, utf8 } from '../../protocol/bytes.ts';
import { passesStrictRule } from '../../protocol/ed25519-strict.ts';
import { verifyEd25519 } from '../../server/crypto/ed25519.ts';
import { isLoose } from '../support/loose-ed25519.ts';
import { nobleVerifyEd25519 } from '../support/noble-crypto.ts';
import { needsVectors, vectorJson } from '../support/vectors.ts';

type Case = { number: number; key: string; sig: string; msg: string; flags: string[] | null };

test('CCTV: both verifiers accept exactly the 43 of 914 edge cases that verify_strict does', needsVectors, () => {
  const cases = vectorJson<Case[]>('cctv/ed25519/ed25519vectors.json');
  assert.equal(cases.length, 914);
  const accepted = { node: 0, noble: 0 };
  for (const { number, key, sig, msg, flags } of cases) {
    const wanted = !isLoose(flags);
    const given = [unhex(key), utf8(msg), unhex(sig)] as const;
    const [node, noble] = [verifyEd25519(...given), nobleVerifyEd25519(...given)];
    assert.equal(node, wanted, `case ${number} on node:crypto`);
    assert.equal(noble, wanted, `case ${number} on @noble`);
    accepted.node += Number(node);
    accepted.noble += Number(noble);
  }
  assert.deepEqual(accepted, { node: 43, noble: 43 });
});

/** R that is no low-order point, S = 0. */
const canonicalSignature = unhex('58'.padEnd(64, '6') + '0'.repeat(64));

test('the byte rule refuses S at and above the order, and wrong lengths', () => {
  const point = unhex('58'.padEnd(64, '6'));
  const s = (text: string) => passesStrictRule(point, new Uint8Array([...point, ...unhex(text)]));
  assert.equal(s('ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010'), true);
  assert.equal(s('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010'), false);
  assert.equal(s('ff'.repeat(32)), false);
  assert.equal(passesStrictRule(point.subarray(1), new Uint8Array(64)), false);
  assert.equal(passesStrictRule(point, new Uint8Array(63)), false);
});

test('the byte rule refuses all 14 encodings of points of low order', () => {
  const y = [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  ].map(unhex);
  const encodings = y.flatMap((low) => [low, Uint8Array.from(low, (byte, i) => (i === 31 ? byte | 0x80 : byte))]);
  assert.equal(encodings.length, 14);
  for (const low of encodings) assert.equal(passesStrictRule(low, new Uint8Array(64)), false);
});

test('the byte rule refuses every non-canonical y, whatever the order of its point', () => {
  for (let low = 0xed; low <= 0xff; low++)
    for (const high of ['7f', 'ff'])
      assert.equal(passesStrictRule(unhex(low.toString(16).padEnd(62, 'f') + high), canonicalSignature), false);
  assert.equal(passesStrictRule(unhex(`eb${'f'.repeat(60)}7f`), canonicalSignature), true);
});
