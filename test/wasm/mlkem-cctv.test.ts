import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shake128 } from '@noble/hashes/sha3.js';
import { needsVectors, vectorJson, vectorText } from '../support/vectors.ts';
import { fromHex, report, toHex } from './cases.ts';
import { decapsulateFrom, freshKernel, publicKeyOf, rawDecapsulate } from './under-test.ts';

const underTest = freshKernel();
const { kernel } = underTest;

/** `name = hex` lines; the last one of a name counts. */
function fields(path: string): Record<string, Uint8Array> {
  const lines = vectorText(path).matchAll(/^(\S+) = ([0-9a-f]+)$/gm);
  return Object.fromEntries(Array.from(lines, ([, name, value]) => [name!, fromHex(value!)]));
}

test('QZ-13: each of the 780 unreduced encapsulation keys is refused', needsVectors, (t) => {
  const keys = vectorText('cctv/ML-KEM/modulus-ML-KEM-768.txt.gz').trim().split('\n');
  let refused = 0;
  for (const key of keys) {
    assert.throws(() => kernel.mlkemEncapsulate(fromHex(key), new Uint8Array(32)), RangeError);
    refused++;
  }
  report(t, refused, 780, 'CCTV keys with a coefficient of q or more, all refused');
});

test('QZ-13: a ciphertext that differs behind a zero byte is rejected implicitly', needsVectors, (t) => {
  const { dk, c, K } = fields('cctv/ML-KEM/strcmp-ML-KEM-768.txt');
  assert.deepEqual(rawDecapsulate(underTest, dk!, c!), K);
  report(t, 1, 1, 'CCTV strcmp vector');
});

test('QZ-13: a matrix that needs more of the XOF than usual is sampled whole', needsVectors, (t) => {
  const { ek, dk, m, c, K } = fields('cctv/ML-KEM/unluckysample-ML-KEM-768.txt');
  const made = kernel.mlkemEncapsulate(ek!, m!);
  assert.deepEqual(made.ciphertext, c);
  assert.equal(toHex(made.secret), toHex(K!));
  assert.deepEqual(rawDecapsulate(underTest, dk!, c!), K);
  report(t, 1, 1, 'CCTV unluckysample vector');
});

test('QZ-13: the intermediate vector decapsulates', needsVectors, (t) => {
  const { dk, c, K } = fields('cctv/ML-KEM/intermediate-ML-KEM-768.txt');
  assert.deepEqual(rawDecapsulate(underTest, dk!, c!), K);
  report(t, 1, 1, 'CCTV intermediate vector');
});

// LATCHKEY_LONG=1 does a million rounds, some minutes.
const rounds = process.env['LATCHKEY_LONG'] === '1' ? '1000000' : '10000';

test(`QZ-13: the accumulated hash of ${rounds} rounds is that of FIPS 203`, needsVectors, (t) => {
  type Accumulated = { 'ML-KEM-768': { 'go-final': Record<string, string> } };
  const expected = vectorJson<Accumulated>('cctv/accumulated.json')['ML-KEM-768']['go-final'][rounds];
  const source = shake128.create();
  const sum = shake128.create();
  let done = 0;
  for (; done < Number(rounds); done++) {
    const seed = source.xof(64);
    const ek = publicKeyOf(kernel, seed);
    const { ciphertext, secret } = kernel.mlkemEncapsulate(ek, source.xof(32));
    assert.deepEqual(decapsulateFrom(kernel, seed, ciphertext), secret);
    const stranger = decapsulateFrom(kernel, seed, source.xof(1088));
    for (const part of [ek, ciphertext, secret, stranger]) sum.update(part);
  }
  assert.equal(toHex(sum.xof(32)), expected);
  report(t, done, Number(rounds), 'accumulated rounds');
});
