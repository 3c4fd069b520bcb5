import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needsVectors, vectorJson } from '../support/vectors.ts';
import { fromHex, report, toHex, wycheproof } from './cases.ts';
import { freshKernel } from './under-test.ts';

const { kernel, raw } = freshKernel();

interface HkdfCase {
  tcId: number;
  ikm: string;
  salt: string;
  info: string;
  size: number;
  okm: string;
  result: 'valid' | 'invalid';
}

test('QZ-14: HKDF-SHA256 gives every Wycheproof answer and refuses too long an output', needsVectors, (t) => {
  let verified = 0;
  for (const c of wycheproof<HkdfCase>('hkdf_sha256_test', 86)) {
    const prk = kernel.hmac(fromHex(c.salt), fromHex(c.ikm));
    const derive = () => kernel.expand(prk, fromHex(c.info), c.size);
    if (c.result === 'valid') assert.equal(toHex(derive()), c.okm, `case ${c.tcId}`);
    else assert.throws(derive, RangeError, `case ${c.tcId}`);
    verified++;
  }
  report(t, verified, 86, 'Wycheproof HKDF cases');
});

interface HmacCase {
  tcId: number;
  key: string;
  msg: string;
  tag: string;
  result: 'valid' | 'invalid';
}

test('QZ-14: HMAC-SHA256 gives every Wycheproof answer', needsVectors, (t) => {
  let verified = 0;
  for (const c of wycheproof<HmacCase>('hmac_sha256_test', 174)) {
    const tag = toHex(kernel.hmac(fromHex(c.key), fromHex(c.msg))).slice(0, c.tag.length);
    assert.equal(tag === c.tag, c.result === 'valid', `case ${c.tcId}`);
    verified++;
  }
  report(t, verified, 174, 'Wycheproof HMAC cases');
});

interface Rfc5869 {
  cases: { section: string; ikm: string; salt: string; info: string; L: number; prk: string; okm: string }[];
}

test('QZ-14: HKDF-SHA256 gives the answers of RFC 5869, extracted key and output', needsVectors, (t) => {
  const { cases } = vectorJson<Rfc5869>('rfc/rfc5869-sha256.json');
  let verified = 0;
  for (const c of cases) {
    const prk = kernel.hmac(fromHex(c.salt), fromHex(c.ikm));
    assert.equal(toHex(prk), c.prk, c.section);
    assert.equal(toHex(kernel.expand(prk, fromHex(c.info), c.L)), c.okm, c.section);
    verified++;
  }
  report(t, verified, 3, 'RFC 5869 vectors');
});

test('SHA-256 gives the answers of FIPS 180-4 however the message is cut', () => {
  const abc = new TextEncoder().encode('abc');
  const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  assert.equal(toHex(kernel.sha256(abc)), expected);
  assert.equal(toHex(kernel.sha256(abc.subarray(0, 1), new Uint8Array(0), abc.subarray(1))), expected);
  assert.equal(toHex(kernel.sha256()), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  const million = new Uint8Array(1_000_000).fill(0x61);
  assert.equal(toHex(kernel.sha256(million)), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0');
});

test('refuses keys and contexts beyond the door', () => {
  const most = raw.CHUNK_MAX.value;
  assert.throws(() => kernel.hmac(new Uint8Array(most + 1)), RangeError);
  assert.throws(() => kernel.expand(new Uint8Array(32), new Uint8Array(most), 32), RangeError);
});
