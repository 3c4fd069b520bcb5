/** Published vectors on the server's crypto: what of OpenSSL we rely on, at the version this Node carries. */
import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, decapsulate } from 'node:crypto';
import { test } from 'node:test';
import { concat, hex, unhex } from '../../../protocol/bytes.ts';
import { openOne, sealOne } from '../../../server/crypto/chacha20-poly1305.ts';
import { verifyMldsa65 } from '../../../server/crypto/composite-key.ts';
import { verifyEd25519 } from '../../../server/crypto/ed25519.ts';
import { agree, answerOffer } from '../../../server/crypto/key-exchange.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { needsVectors, vectorJson, vectorText } from '../../support/vectors.ts';

type Fields = Record<string, string>;
type Group = { tests: Fields[]; publicKey?: string | { pk: string } } & Record<string, unknown>;

/** Calls `check` for every case of a Wycheproof file; the number of cases is part of the test. */
function wycheproof(file: string, count: number, check: (one: Fields, group: Group) => void): void {
  const { testGroups } = vectorJson<{ testGroups: Group[] }>(`wycheproof/${file}_test.json`);
  let checked = 0;
  for (const group of testGroups)
    for (const one of group.tests) {
      check(one, group);
      checked++;
    }
  assert.equal(checked, count);
}

const bytes = (text: string | undefined): Uint8Array => unhex(text ?? '');
const name = (one: Fields): string => `case ${one['tcId']}: ${one['comment']}`;
const valid = (one: Fields): boolean => one['result'] === 'valid';

test('Ed25519 verifies Wycheproof, 151 cases', needsVectors, () => {
  wycheproof('ed25519', 151, (one, { publicKey }) => {
    const key = bytes((publicKey as { pk: string }).pk);
    assert.equal(verifyEd25519(key, bytes(one['msg']), bytes(one['sig'])), valid(one), name(one));
  });
});

test('ML-DSA-65 verifies Wycheproof, 210 cases', needsVectors, () => {
  wycheproof('mldsa_65_verify', 210, (one, { publicKey }) => {
    const [key, message, signature] = [bytes(publicKey as string), bytes(one['msg']), bytes(one['sig'])];
    assert.equal(verifyMldsa65(key, message, signature, bytes(one['ctx'])), valid(one), name(one));
  });
});

test('QZ-12: X25519 agrees with Wycheproof, 518 cases, and refuses the 31 zero results', needsVectors, () => {
  let zeros = 0;
  wycheproof('x25519', 518, (one) => {
    const own = createPrivateKey({ key: bytes(one['private']), format: 'raw-private', asymmetricKeyType: 'x25519' });
    const result = () => hex(agree(own, bytes(one['public'])));
    if (/^0*$/.test(one['shared']!)) {
      assert.throws(result, RangeError, name(one));
      zeros++;
    } else assert.equal(result(), one['shared'], name(one));
  });
  assert.equal(zeros, 31);
});

test('QZ-16: ChaCha20-Poly1305 seals and opens as Wycheproof says, 325 cases', needsVectors, () => {
  wycheproof('chacha20_poly1305', 325, (one) => {
    const [key, nonce, ad] = [bytes(one['key']), bytes(one['iv']), bytes(one['aad'])];
    const sealed = concat(bytes(one['ct']), bytes(one['tag']));
    if (nonce.length !== 12) return assert.throws(() => openOne(key, nonce, ad, sealed), name(one));
    const opened = openOne(key, nonce, ad, sealed);
    assert.equal(opened === null ? null : hex(opened), valid(one) ? one['msg'] : null, name(one));
    if (valid(one)) assert.equal(hex(sealOne(key, nonce, ad, bytes(one['msg']))), hex(sealed), name(one));
  });
});

test('HMAC-SHA-256 makes the tags of Wycheproof, 174 cases', needsVectors, () => {
  wycheproof('hmac_sha256', 174, (one, group) => {
    const tag = nodeCrypto.hmac(bytes(one['key']), bytes(one['msg'])).slice(0, Number(group['tagSize']) / 8);
    assert.equal(hex(tag) === one['tag'], valid(one), name(one));
  });
});

test('QZ-14: HKDF-SHA-256, as extract and expand, makes the keys of Wycheproof, 86 cases', needsVectors, () => {
  wycheproof('hkdf_sha256', 86, (one) => {
    // RFC 5869 section 2.2: no salt means a salt of zeros, which HMAC pads to anyway
    const key = nodeCrypto.extract(bytes(one['salt']), bytes(one['ikm']));
    const output = () => hex(nodeCrypto.expand(key, bytes(one['info']), Number(one['size'])));
    if (valid(one)) assert.equal(output(), one['okm'], name(one));
    else assert.throws(output, RangeError, name(one));
  });
});

const mlkemKey = (seed: Uint8Array) =>
  createPrivateKey({ key: seed, format: 'raw-seed', asymmetricKeyType: 'ml-kem-768' });

test('QZ-13: ML-KEM-768 decapsulates Wycheproof, 193 cases', needsVectors, () => {
  wycheproof('mlkem_768', 193, (one) => {
    const run = () => {
      const key = mlkemKey(bytes(one['seed']));
      const ek = createPublicKey(key).export({ format: 'raw-public' });
      return [hex(ek), hex(decapsulate(key, bytes(one['c'])))];
    };
    if (valid(one)) assert.deepEqual(run(), [one['ek'], one['K']], name(one));
    else assert.throws(run, name(one));
  });
});

test('QZ-13: ML-KEM-768 makes the keys of Wycheproof from their seeds, 100 cases', needsVectors, () => {
  wycheproof('mlkem_768_keygen_seed', 100, (one) => {
    const ek = createPublicKey(mlkemKey(bytes(one['seed']))).export({ format: 'raw-public' });
    assert.equal(hex(ek), one['ek'], name(one));
  });
});

const basePoint = unhex('09'.padEnd(64, '0'));

test('QZ-13: an encapsulation key is taken or refused as Wycheproof says, 265 cases', needsVectors, () => {
  wycheproof('mlkem_768_encaps', 265, (one) => {
    const answer = () => answerOffer(concat(bytes(one['ek']), basePoint));
    if (valid(one)) assert.equal(answer().share.length, 1_120);
    else assert.throws(answer, RangeError, name(one));
  });
});

test('QZ-13: all encapsulation keys of CCTV with a coefficient too large are refused', needsVectors, () => {
  const keys = vectorText('cctv/ML-KEM/modulus-ML-KEM-768.txt.gz').trim().split(/\s+/);
  assert.equal(keys.length, 780);
  for (const key of keys) assert.throws(() => answerOffer(concat(unhex(key), basePoint)), RangeError);
});

test('decapsulation keys come as seeds only', () => {
  const expanded = { key: new Uint8Array(2_400), format: 'raw-private', asymmetricKeyType: 'ml-kem-768' } as const;
  assert.throws(() => createPrivateKey(expanded));
});
