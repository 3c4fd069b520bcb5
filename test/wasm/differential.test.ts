/** The Wasm against OpenSSL (node:crypto) and @noble on random inputs; LATCHKEY_LONG=1 multiplies the rounds by ten. */
import assert from 'node:assert/strict';
import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto';
import { test } from 'node:test';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { expand } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { report, toHex } from './cases.ts';
import { seeded } from './seeded.ts';
import { decapsulateFrom, freshKernel, publicKeyOf } from './under-test.ts';

const { kernel } = freshKernel();
const random = seeded();
const seed = `LATCHKEY_SEED=${random.seed}`;
const times = process.env['LATCHKEY_LONG'] === '1' ? 10 : 1;

/** Every length around the blocks, then some up to the size of a record. */
function lengths(): number[] {
  const some = Array.from({ length: 200 * times }, () => 301 + random.below(16_384 - 300));
  return [...Array.from({ length: 301 }, (_, i) => i), ...some, 16_383, 16_384];
}

function openByNode(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, sealed: Uint8Array): Buffer {
  const end = sealed.length - 16;
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  decipher.setAAD(ad, { plaintextLength: end });
  decipher.setAuthTag(sealed.subarray(end));
  return Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]);
}

test('QZ-16: ChaCha20-Poly1305 equals @noble and opens in OpenSSL at every length', (t) => {
  let verified = 0;
  for (const length of lengths()) {
    for (const adLength of [0, 13, 21, random.below(300)]) {
      const [key, nonce, ad, text] = [random.bytes(32), random.bytes(12), random.bytes(adLength), random.bytes(length)];
      const sealed = kernel.aeadSeal(key, nonce, ad, text);
      const where = `text ${length}, additional data ${adLength}; ${seed}`;
      assert.ok(Buffer.compare(sealed, chacha20poly1305(key, nonce, ad).encrypt(text)) === 0, where);
      assert.ok(Buffer.compare(openByNode(key, nonce, ad, sealed), text) === 0, where);
      assert.ok(Buffer.compare(kernel.aeadOpen(key, nonce, ad, sealed)!, text) === 0, where);
      verified++;
    }
  }
  report(t, verified, (503 + 200 * (times - 1)) * 4, 'AEAD texts equal');
});

/** The record `n` of a key by OpenSSL, under the nonce of docs/protocol.md, "Records". */
function sealedByNode(key: Uint8Array, n: number, ad: Uint8Array, text: Uint8Array): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32LE(n, 4);
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  cipher.setAAD(ad, { plaintextLength: text.length });
  return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

test('QZ-16: 20,000 records under held keys equal OpenSSL byte for byte, and some of them @noble', (t) => {
  const [records, perKey] = [20_000 * times, 1_000];
  const pool = random.bytes(40_000);
  let verified = 0;
  for (let key = random.bytes(32); verified < records; key = random.bytes(32)) {
    const [seals, opens] = [kernel.hold('seal', key), kernel.hold('open', key)];
    for (let n = 0; n < perKey; n++) {
      const length = random.below(n % 25 === 0 ? 16_385 : 700);
      const at = random.below(pool.length - length);
      const text = pool.subarray(at, at + length);
      const ad = pool.subarray(n, n + 17);
      const sealed = kernel.seal(seals, ad, text);
      const where = `record ${n}, ${length} bytes; ${seed}`;
      assert.ok(Buffer.compare(sealed, sealedByNode(key, n, ad, text)) === 0, where);
      if (n % 50 === 0) {
        const nonce = Uint8Array.of(0, 0, 0, 0, n & 0xff, n >> 8, 0, 0, 0, 0, 0, 0);
        assert.ok(Buffer.compare(sealed, chacha20poly1305(key, nonce, ad).encrypt(text)) === 0, where);
      }
      assert.ok(Buffer.compare(kernel.open(opens, ad, sealed)!, text) === 0, where);
      verified++;
    }
    kernel.release(seals);
    kernel.release(opens);
  }
  report(t, verified, records, 'records equal');
});

test('QZ-14: SHA-256, HMAC and HKDF equal OpenSSL and @noble at every length', (t) => {
  let verified = 0;
  for (const length of [...lengths(), 40_000, 100_000]) {
    const [message, key] = [random.bytes(length), random.bytes(random.below(150))];
    const cut = random.below(length + 1);
    const parts = [message.subarray(0, cut), message.subarray(cut)];
    assert.equal(toHex(kernel.sha256(...parts)), createHash('sha256').update(message).digest('hex'), seed);
    assert.equal(toHex(kernel.hmac(key, ...parts)), createHmac('sha256', key).update(message).digest('hex'), seed);
    const [prk, info, size] = [random.bytes(32), message.subarray(0, random.below(300)), random.below(8161)];
    assert.equal(toHex(kernel.expand(prk, info, size)), toHex(expand(sha256, prk, info, size)), seed);
    verified++;
  }
  report(t, verified, 505 + 200 * (times - 1), 'digests, codes and outputs equal');
});

test('QZ-12: X25519 equals @noble on random scalars and points', (t) => {
  let verified = 0;
  for (let round = 0; round < 300 * times; round++) {
    const [scalar, point] = [random.bytes(32), random.bytes(32)];
    assert.equal(toHex(kernel.x25519(scalar, point)), toHex(x25519.scalarMult(scalar, point)), seed);
    verified++;
  }
  report(t, verified, 300 * times, 'X25519 results equal');
});

test('QZ-13: ML-KEM-768 equals @noble: keys, ciphertexts, secrets and rejections', (t) => {
  let verified = 0;
  for (let round = 0; round < 200 * times; round++) {
    const [keySeed, message] = [random.bytes(64), random.bytes(32)];
    const theirs = ml_kem768.keygen(keySeed);
    const made = ml_kem768.encapsulate(theirs.publicKey, message);
    assert.deepEqual(publicKeyOf(kernel, keySeed), theirs.publicKey, seed);
    const ours = kernel.mlkemEncapsulate(theirs.publicKey, message);
    assert.deepEqual([ours.ciphertext, ours.secret], [made.cipherText, made.sharedSecret], seed);
    assert.deepEqual(decapsulateFrom(kernel, keySeed, made.cipherText), made.sharedSecret, seed);
    const altered = made.cipherText.slice();
    altered[random.below(1088)]! ^= 1 << random.below(8);
    assert.deepEqual(decapsulateFrom(kernel, keySeed, altered), ml_kem768.decapsulate(altered, theirs.secretKey), seed);
    verified++;
  }
  report(t, verified, 200 * times, 'ML-KEM-768 runs equal');
});
