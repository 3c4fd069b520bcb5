import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needsVectors, vectorJson } from '../support/vectors.ts';
import { fromHex, report, toHex, wycheproof } from './cases.ts';
import { freshKernel } from './under-test.ts';

const { kernel } = freshKernel();

interface AeadCase {
  tcId: number;
  key: string;
  iv: string;
  aad: string;
  msg: string;
  ct: string;
  tag: string;
  result: 'valid' | 'invalid';
}

test('QZ-16: ChaCha20-Poly1305 gives every Wycheproof answer, sealing and opening', needsVectors, (t) => {
  let verified = 0;
  for (const c of wycheproof<AeadCase>('chacha20_poly1305_test', 325)) {
    const [key, nonce, ad] = [fromHex(c.key), fromHex(c.iv), fromHex(c.aad)];
    const [text, sealed] = [fromHex(c.msg), fromHex(c.ct + c.tag)];
    if (nonce.length !== 12) {
      assert.equal(c.result, 'invalid');
      assert.throws(() => kernel.aeadSeal(key, nonce, ad, text), TypeError, `case ${c.tcId}`);
      assert.throws(() => kernel.aeadOpen(key, nonce, ad, sealed), TypeError, `case ${c.tcId}`);
    } else if (c.result === 'valid') {
      assert.equal(toHex(kernel.aeadSeal(key, nonce, ad, text)), c.ct + c.tag, `case ${c.tcId}`);
      assert.equal(toHex(kernel.aeadOpen(key, nonce, ad, sealed)!), c.msg, `case ${c.tcId}`);
    } else {
      assert.equal(kernel.aeadOpen(key, nonce, ad, sealed), null, `case ${c.tcId}`);
    }
    verified++;
  }
  report(t, verified, 325, 'Wycheproof ChaCha20-Poly1305 cases');
});

interface Rfc8439 {
  block: { key: string; nonce: string; counter: number; keystream: string }[];
  aead: {
    section: string;
    key: string;
    nonce: string;
    aad: string;
    pt: string;
    ct: string;
    tag: string;
    result?: string;
  }[];
}

test('QZ-16: ChaCha20-Poly1305 gives the answers of RFC 8439', needsVectors, (t) => {
  const { aead, block } = vectorJson<Rfc8439>('rfc/rfc8439.json');
  let verified = 0;
  for (const c of aead) {
    const [key, nonce, ad] = [fromHex(c.key), fromHex(c.nonce), fromHex(c.aad)];
    const opened = kernel.aeadOpen(key, nonce, ad, fromHex(c.ct + c.tag));
    if (c.result === undefined) {
      assert.equal(toHex(kernel.aeadSeal(key, nonce, ad, fromHex(c.pt))), c.ct + c.tag, c.section);
      assert.equal(toHex(opened!), c.pt, c.section);
    } else {
      assert.equal(opened, null, c.section);
    }
    verified++;
  }
  // Zeros encrypt to the key stream, which starts with block 1.
  for (const c of block.filter(({ counter }) => counter === 1)) {
    const sealed = kernel.aeadSeal(fromHex(c.key), fromHex(c.nonce), new Uint8Array(0), new Uint8Array(64));
    assert.equal(toHex(sealed.subarray(0, 64)), c.keystream);
    verified++;
  }
  report(t, verified, aead.length + 1, 'RFC 8439 vectors');
});

test('QZ-16: one flipped bit anywhere in a record or its additional data is refused and leaves no plaintext', () => {
  const { kernel: own, raw, memory } = freshKernel();
  const key = new Uint8Array(32).fill(7);
  const nonce = new Uint8Array(12);
  const ad = Uint8Array.from({ length: 13 }, (_, i) => i);
  const text = Uint8Array.from({ length: 333 }, (_, i) => i * 3);
  const sealed = own.aeadSeal(key, nonce, ad, text).slice();
  const door = memory.subarray(raw.OPEN_TEXT.value, raw.OPEN_TEXT.value + sealed.length);
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const forged = sealed.slice();
    forged[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(own.aeadOpen(key, nonce, ad, forged), null, `bit ${bit}`);
    assert.ok(
      door.every((byte) => byte === 0),
      `bit ${bit} left bytes behind`,
    );
  }
  for (let bit = 0; bit < ad.length * 8; bit++) {
    const forged = ad.slice();
    forged[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(own.aeadOpen(key, nonce, forged, sealed), null, `bit ${bit} of the additional data`);
  }
  for (let length = 0; length < sealed.length; length++) {
    assert.equal(own.aeadOpen(key, nonce, ad, sealed.subarray(0, length)), null, `cut to ${length}`);
  }
  assert.deepEqual(own.aeadOpen(key, nonce, ad, sealed)!.slice(), text);
});

test('refuses what is longer than its doors, and opens the longest text', () => {
  const { raw } = freshKernel();
  const [textMax, adMax] = [raw.TEXT_MAX.value, raw.AD_MAX.value];
  const [key, nonce] = [new Uint8Array(32), new Uint8Array(12)];
  assert.throws(() => kernel.aeadSeal(key, nonce, new Uint8Array(0), new Uint8Array(textMax + 1)), RangeError);
  assert.throws(() => kernel.aeadSeal(key, nonce, new Uint8Array(adMax + 1), new Uint8Array(1)), RangeError);
  assert.equal(kernel.aeadOpen(key, nonce, new Uint8Array(0), new Uint8Array(textMax + 17)), null);
  const ad = new Uint8Array(adMax).fill(3);
  const text = new Uint8Array(textMax).fill(5);
  assert.deepEqual(kernel.aeadOpen(key, nonce, ad, kernel.aeadSeal(key, nonce, ad, text))!.slice(), text);
});
