import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hex, unhex, utf8 } from '../../../protocol/bytes.ts';
import { sealOne } from '../../../server/crypto/chacha20-poly1305.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { NodeSealer } from '../../../server/crypto/record-cipher.ts';
import { nobleCrypto } from '../../support/noble-crypto.ts';

const key = nodeCrypto.sha256(utf8('record key'));
const ad = utf8('ad');

test('QZ-16: the n-th record has nonce n, little-endian after four zero bytes, on both libraries', () => {
  const [node, noble] = [nodeCrypto.sealer(key), nobleCrypto().sealer(key)];
  for (let n = 0; n < 300; n++) {
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setBigUint64(4, BigInt(n), true);
    const expected = hex(sealOne(key, nonce, ad, utf8(`record ${n}`)));
    assert.equal(node.count, n);
    assert.equal(hex(node.seal(ad, utf8(`record ${n}`))), expected);
    assert.equal(hex(noble.seal(ad, utf8(`record ${n}`))), expected);
  }
});

test('records of every length round trip between the libraries', () => {
  const [sealer, opener] = [nodeCrypto.sealer(key), nobleCrypto().opener(key)];
  const [back, forth] = [nobleCrypto().sealer(key), nodeCrypto.opener(key)];
  for (const length of [0, 1, 15, 16, 17, 63, 64, 65, 255, 4_096, 16_384]) {
    const plaintext = new Uint8Array(length).fill(length);
    assert.deepEqual(opener.open(ad, sealer.seal(ad, plaintext)), plaintext);
    assert.deepEqual(forth.open(ad, back.seal(ad, plaintext)), plaintext);
  }
});

test('a record that fails leaves the counter where it was, and the right one still opens', () => {
  const [sealer, opener] = [nodeCrypto.sealer(key), nodeCrypto.opener(key)];
  const sealed = sealer.seal(ad, utf8('hello'));
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const damaged = sealed.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(opener.open(ad, damaged), null);
  }
  assert.equal(opener.open(utf8('da'), sealed), null);
  for (let length = 0; length < sealed.length; length++)
    assert.equal(opener.open(ad, sealed.subarray(0, length)), null);
  assert.equal(opener.count, 0);
  assert.deepEqual(opener.open(ad, sealed), utf8('hello'));
  assert.equal(opener.open(ad, sealed), null, 'a record opens once');
});

test('QZ-16: a wiped key and a used-up counter refuse', () => {
  const [sealer, opener] = [nodeCrypto.sealer(key), nodeCrypto.opener(key)];
  sealer.wipe();
  opener.wipe();
  assert.throws(() => sealer.seal(ad, ad), RangeError);
  assert.throws(() => opener.open(ad, new Uint8Array(32)), RangeError);

  class NearTheEnd extends NodeSealer {
    protected override used = 2 ** 32 - 1;
  }
  const last = new NearTheEnd(key);
  const nonce = unhex('00000000ffffffff00000000');
  assert.equal(hex(last.seal(ad, utf8('last'))), hex(sealOne(key, nonce, ad, utf8('last'))));
  assert.throws(() => last.seal(ad, utf8('one more')), RangeError);
});

test('the key is copied: wiping the caller’s leaves the sealer working', () => {
  const own = key.slice();
  const sealer = nodeCrypto.sealer(own);
  own.fill(0);
  assert.deepEqual(nodeCrypto.opener(key).open(ad, sealer.seal(ad, ad)), ad);
  assert.throws(() => nodeCrypto.sealer(new Uint8Array(31)), TypeError);
});
