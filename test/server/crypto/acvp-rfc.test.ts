/** ACVP, CCTV and the RFCs' own vectors on node:crypto, as far as OpenSSL has a door for them: it takes no ML-KEM `m`. */
import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, decapsulate } from 'node:crypto';
import { test } from 'node:test';
import { concat, hex } from '../../../protocol/bytes.ts';
import { openOne, sealOne } from '../../../server/crypto/chacha20-poly1305.ts';
import { agree, answerOffer } from '../../../server/crypto/key-exchange.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { needsVectors, vectorJson } from '../../support/vectors.ts';
import { fromHex, report } from '../../wasm/cases.ts';

const mlkem = (seed: Uint8Array) =>
  createPrivateKey({ key: seed, format: 'raw-seed', asymmetricKeyType: 'ml-kem-768' });
const x25519 = (scalar: Uint8Array, point: Uint8Array): string =>
  hex(agree(createPrivateKey({ key: scalar, format: 'raw-private', asymmetricKeyType: 'x25519' }), point));

type Case = { tcId: number; d: string; z: string; ek: string; c: string; k: string; testPassed: boolean };
type Group = { function?: string; keyFormat?: string; tests: Case[] };
const groups = (file: string): Group[] =>
  vectorJson<{ testGroups: Group[] }>(`acvp/${file}.ML-KEM-768.json`).testGroups;

test('QZ-13: ACVP ML-KEM-768 on node:crypto: keys, decapsulation from seeds, keys to refuse', needsVectors, (t) => {
  const basePoint = fromHex('09'.padEnd(64, '0'));
  const checked = { keys: 0, decapsulated: 0, judged: 0 };
  for (const c of groups('ML-KEM-keyGen-FIPS203').flatMap((group) => group.tests)) {
    const ek = createPublicKey(mlkem(fromHex(c.d + c.z))).export({ format: 'raw-public' });
    assert.equal(hex(ek), c.ek.toLowerCase(), `keys ${c.tcId}`);
    checked.keys++;
  }
  for (const group of ['ML-KEM-encapDecap-FIPS203', 'ML-KEM-encapDecap-FIPS203-tr1'].flatMap(groups))
    for (const c of group.tests) {
      if (group.function === 'decapsulation' && group.keyFormat === 'seed') {
        assert.equal(hex(decapsulate(mlkem(fromHex(c.d + c.z)), fromHex(c.c))), c.k.toLowerCase(), `case ${c.tcId}`);
        checked.decapsulated++;
      }
      if (group.function === 'encapsulationKeyCheck') {
        const answer = () => answerOffer(concat(fromHex(c.ek), basePoint));
        if (c.testPassed) answer();
        else assert.throws(answer, RangeError, `case ${c.tcId}`);
        checked.judged++;
      }
    }
  assert.equal(checked.keys, 25);
  assert.ok(checked.decapsulated >= 10 && checked.judged >= 20, JSON.stringify(checked));
  t.diagnostic(`${checked.keys} keys, ${checked.decapsulated} decapsulations, ${checked.judged} keys judged`);
});

test('QZ-12: RFC 7748 on node:crypto, iterated 1,000 times', needsVectors, (t) => {
  type Rfc = {
    scalarmult: { scalar: string; u: string; out: string }[];
    iterated: { start: string; after: Record<string, string> };
    dh: { a: string; B: string; b: string; A: string; K: string };
  };
  const { scalarmult, iterated, dh } = vectorJson<Rfc>('rfc/rfc7748-x25519.json');
  let checked = 0;
  for (const { scalar, u, out } of [
    ...scalarmult,
    { scalar: dh.a, u: dh.B, out: dh.K },
    { scalar: dh.b, u: dh.A, out: dh.K },
  ]) {
    assert.equal(x25519(fromHex(scalar), fromHex(u)), out);
    checked++;
  }
  let [k, u] = [iterated.start, iterated.start];
  for (let round = 1; round <= 1_000; round++) {
    [k, u] = [x25519(fromHex(k), fromHex(u)), k];
    if (iterated.after[round] === undefined) continue;
    assert.equal(k, iterated.after[round], `after ${round}`);
    checked++;
  }
  report(t, checked, scalarmult.length + 4, 'RFC 7748 vectors');
});

test('QZ-14, QZ-16: RFC 5869 and RFC 8439 on node:crypto', needsVectors, (t) => {
  type Hkdf = { ikm: string; salt: string; info: string; L: number; prk: string; okm: string };
  let checked = 0;
  for (const c of vectorJson<{ cases: Hkdf[] }>('rfc/rfc5869-sha256.json').cases) {
    const prk = nodeCrypto.extract(fromHex(c.salt), fromHex(c.ikm));
    assert.deepEqual([hex(prk), hex(nodeCrypto.expand(prk, fromHex(c.info), c.L))], [c.prk, c.okm]);
    checked++;
  }
  type Aead = { key: string; nonce: string; aad: string; pt: string; ct: string; tag: string; result?: string };
  const { aead } = vectorJson<{ aead: Aead[] }>('rfc/rfc8439.json');
  for (const c of aead) {
    const [key, nonce, ad, sealed] = [fromHex(c.key), fromHex(c.nonce), fromHex(c.aad), fromHex(c.ct + c.tag)];
    const opened = openOne(key, nonce, ad, sealed);
    assert.equal(opened && hex(opened), c.result === undefined ? c.pt : null);
    if (c.result === undefined) assert.equal(hex(sealOne(key, nonce, ad, fromHex(c.pt))), hex(sealed));
    checked++;
  }
  report(t, checked, 3 + aead.length, 'RFC 5869 and RFC 8439 vectors');
});
