/**
 * The published vectors on the slow twins of test/reference, so that what the kernels are compared with is right by
 * itself. The twin of ML-KEM takes its time: the short form gives it every 10th case, the long form all.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chacha20Poly1305 } from '../reference/chacha20.ts';
import { decapsulate, encapsulate, generate } from '../reference/mlkem.ts';
import { sha256 } from '../reference/sha256.ts';
import { x25519 } from '../reference/x25519.ts';
import { inLong } from '../support/long.ts';
import { needsVectors, vectorJson, vectorText } from '../support/vectors.ts';
import { fromHex, report, toHex, wycheproof } from './cases.ts';

const every = inLong(10, 1);
const some = <T>(cases: readonly T[]): T[] => cases.filter((_, i) => i % every === 0);
const share = (count: number): number => Math.ceil(count / every);
const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

// ── ChaCha20-Poly1305 ──

test('QZ-16: the twin of ChaCha20-Poly1305 gives every Wycheproof answer and those of RFC 8439', needsVectors, (t) => {
  type Case = {
    tcId: number;
    key: string;
    iv: string;
    aad: string;
    msg: string;
    ct: string;
    tag: string;
    result: string;
  };
  let [checked, forged] = [0, 0];
  for (const c of wycheproof<Case>('chacha20_poly1305_test', 325)) {
    if (c.iv.length !== 24) continue; // the twin takes RFC 8439's nonce and no other
    const sealed = toHex(chacha20Poly1305(fromHex(c.key), fromHex(c.iv), fromHex(c.aad), fromHex(c.msg)));
    assert.equal(sealed === c.ct + c.tag, c.result === 'valid', `case ${c.tcId}`);
    if (c.result !== 'valid') forged++;
    checked++;
  }
  type Aead = { key: string; nonce: string; aad: string; pt: string; ct: string; tag: string; result?: string };
  for (const c of vectorJson<{ aead: Aead[] }>('rfc/rfc8439.json').aead) {
    if (c.result !== undefined) continue;
    assert.equal(
      toHex(chacha20Poly1305(fromHex(c.key), fromHex(c.nonce), fromHex(c.aad), fromHex(c.pt))),
      c.ct + c.tag,
    );
    checked++;
  }
  report(t, checked, 318, 'texts on the twin');
  report(t, forged, 60, 'of them forged');
});

// ── HMAC and HKDF, as RFC 2104 and RFC 5869 build them on the twin of SHA-256 ──

function hmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  const block = new Uint8Array(64);
  block.set(key.length > 64 ? sha256(key) : key);
  const inner = sha256(
    join(
      block.map((byte) => byte ^ 0x36),
      message,
    ),
  );
  return sha256(
    join(
      block.map((byte) => byte ^ 0x5c),
      inner,
    ),
  );
}

function expand(key: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  let [last, out]: [Uint8Array, Uint8Array] = [new Uint8Array(0), new Uint8Array(0)];
  for (let i = 1; out.length < length; i++) {
    last = hmac(key, join(last, info, Uint8Array.of(i)));
    out = join(out, last);
  }
  return out.slice(0, length);
}

test('QZ-14: HMAC and HKDF on the twin of SHA-256 give the answers of Wycheproof and RFC 5869', needsVectors, (t) => {
  let checked = 0;
  type Hmac = { tcId: number; key: string; msg: string; tag: string; result: string };
  for (const c of wycheproof<Hmac>('hmac_sha256_test', 174)) {
    const tag = toHex(hmac(fromHex(c.key), fromHex(c.msg))).slice(0, c.tag.length);
    assert.equal(tag === c.tag, c.result === 'valid', `HMAC ${c.tcId}`);
    checked++;
  }
  type Hkdf = { tcId: number; ikm: string; salt: string; info: string; size: number; okm: string; result: string };
  for (const c of wycheproof<Hkdf>('hkdf_sha256_test', 86)) {
    if (c.result === 'valid') {
      const okm = expand(hmac(fromHex(c.salt), fromHex(c.ikm)), fromHex(c.info), c.size);
      assert.equal(toHex(okm), c.okm, `HKDF ${c.tcId}`);
    } else assert.ok(c.size > 255 * 32, `HKDF ${c.tcId}`); // more than HKDF has, which the twin does not check
    checked++;
  }
  type Rfc = { ikm: string; salt: string; info: string; L: number; prk: string; okm: string };
  for (const c of vectorJson<{ cases: Rfc[] }>('rfc/rfc5869-sha256.json').cases) {
    const prk = hmac(fromHex(c.salt), fromHex(c.ikm));
    assert.deepEqual([toHex(prk), toHex(expand(prk, fromHex(c.info), c.L))], [c.prk, c.okm]);
    checked++;
  }
  report(t, checked, 174 + 86 + 3, 'HMAC and HKDF cases on the twin');
});

// ── X25519 ──

test('QZ-12: the twin of X25519 gives the answers of Wycheproof and RFC 7748', needsVectors, (t) => {
  let [checked, zeros] = [0, 0];
  for (const c of wycheproof<{ tcId: number; private: string; public: string; shared: string }>('x25519_test', 518)) {
    const shared = toHex(x25519(fromHex(c.private), fromHex(c.public)));
    assert.equal(shared, c.shared, `case ${c.tcId}`);
    if (/^0*$/.test(shared)) zeros++;
    checked++;
  }
  type Rfc = {
    scalarmult: { scalar: string; u: string; out: string }[];
    iterated: { start: string; after: Record<string, string> };
    dh: { a: string; B: string; b: string; A: string; K: string };
  };
  const { scalarmult, iterated, dh } = vectorJson<Rfc>('rfc/rfc7748-x25519.json');
  const exchanges = [...scalarmult, { scalar: dh.a, u: dh.B, out: dh.K }, { scalar: dh.b, u: dh.A, out: dh.K }];
  for (const { scalar, u, out } of exchanges) {
    assert.equal(toHex(x25519(fromHex(scalar), fromHex(u))), out);
    checked++;
  }
  let [k, u] = [fromHex(iterated.start), fromHex(iterated.start)];
  for (let round = 1; round <= inLong(1, 1_000); round++) {
    [k, u] = [x25519(k, u), k];
    const expected = iterated.after[round];
    if (expected !== undefined) assert.equal(toHex(k), expected, `after ${round}`);
  }
  report(t, checked, 518 + exchanges.length, 'X25519 results on the twin');
  report(t, zeros, 31, 'of them all zeros');
});

// ── ML-KEM-768 ──

type Result = { tcId: number; result: 'valid' | 'invalid' };
const sizes = { seed: 64, ek: 1184, dk: 2400, ciphertext: 1088 };

/** FIPS 203 section 7.3, which the twin leaves to its caller: lengths, and the hash inside an expanded key. */
function checkedDecapsulate(dk: Uint8Array, ciphertext: Uint8Array): Uint8Array | null {
  if (dk.length !== sizes.dk || ciphertext.length !== sizes.ciphertext) return null;
  return decapsulate(dk, ciphertext);
}

test(
  'QZ-13: the twin of ML-KEM-768 makes, encapsulates to and decapsulates with the keys of Wycheproof',
  needsVectors,
  (t) => {
    let checked = 0;
    for (const c of some(
      wycheproof<Result & { seed: string; ek: string; dk: string }>('mlkem_768_keygen_seed_test', 100),
    )) {
      const { ek, dk } = generate(fromHex(c.seed));
      assert.deepEqual([toHex(ek), toHex(dk)], [c.ek, c.dk], `keys ${c.tcId}`);
      checked++;
    }
    for (const c of some(
      wycheproof<Result & { m: string; ek: string; c: string; K: string }>('mlkem_768_encaps_test', 265),
    )) {
      const made = fromHex(c.ek).length === sizes.ek ? encapsulate(fromHex(c.ek), fromHex(c.m)) : null;
      const wanted = c.result === 'valid' ? [c.c, c.K] : null;
      assert.deepEqual(made && [toHex(made.ciphertext), toHex(made.secret)], wanted, `encapsulation ${c.tcId}`);
      checked++;
    }
    for (const c of some(wycheproof<Result & { seed: string; c: string; K: string }>('mlkem_768_test', 193))) {
      const seed = fromHex(c.seed);
      const secret = seed.length === sizes.seed ? checkedDecapsulate(generate(seed).dk, fromHex(c.c)) : null;
      assert.equal(secret && toHex(secret), c.result === 'valid' ? c.K : null, `decapsulation ${c.tcId}`);
      checked++;
    }
    report(t, checked, share(100) + share(265) + share(193), 'Wycheproof ML-KEM-768 cases on the twin');
  },
);

type AcvpCase = { tcId: number; ek: string; dk: string; d: string; z: string; c: string; k: string; m: string };
type AcvpGroup = { function?: string; keyFormat?: string; tests: AcvpCase[] };
const acvp = (file: string, wanted?: string): (AcvpCase & { keyFormat?: string })[] =>
  vectorJson<{ testGroups: AcvpGroup[] }>(`acvp/${file}.ML-KEM-768.json`)
    .testGroups.filter((group) => group.function === wanted)
    .flatMap((group) => group.tests.map((one) => ({ ...one, ...(group.keyFormat && { keyFormat: group.keyFormat }) })));

test('QZ-13: the twin of ML-KEM-768 gives the answers of ACVP and CCTV', needsVectors, (t) => {
  let checked = 0;
  const lower = (...texts: string[]): string[] => texts.map((text) => text.toLowerCase());
  for (const c of some(acvp('ML-KEM-keyGen-FIPS203'))) {
    const { ek, dk } = generate(fromHex(c.d + c.z));
    assert.deepEqual([toHex(ek), toHex(dk)], lower(c.ek, c.dk), `keys ${c.tcId}`);
    checked++;
  }
  for (const file of ['ML-KEM-encapDecap-FIPS203', 'ML-KEM-encapDecap-FIPS203-tr1']) {
    for (const c of some(acvp(file, 'encapsulation'))) {
      const made = encapsulate(fromHex(c.ek), fromHex(c.m));
      assert.deepEqual(
        made && [toHex(made.ciphertext), toHex(made.secret)],
        lower(c.c, c.k),
        `encapsulation ${c.tcId}`,
      );
      checked++;
    }
    for (const c of some(acvp(file, 'decapsulation'))) {
      assert.equal(toHex(decapsulate(fromHex(c.dk), fromHex(c.c))), c.k.toLowerCase(), `decapsulation ${c.tcId}`);
      checked++;
    }
  }
  for (const key of some(vectorText('cctv/ML-KEM/modulus-ML-KEM-768.txt.gz').trim().split('\n'))) {
    assert.equal(encapsulate(fromHex(key), new Uint8Array(32)), null);
    checked++;
  }
  for (const name of ['strcmp', 'unluckysample', 'intermediate']) {
    const lines = vectorText(`cctv/ML-KEM/${name}-ML-KEM-768.txt`).matchAll(/^(\S+) = ([0-9a-f]+)$/gm);
    const { dk, c, K } = Object.fromEntries(Array.from(lines, ([, field, value]) => [field!, value!]));
    assert.equal(toHex(decapsulate(fromHex(dk!), fromHex(c!))), K, name);
    checked++;
  }
  const counts = [
    ...[acvp('ML-KEM-keyGen-FIPS203').length, 780],
    ...['ML-KEM-encapDecap-FIPS203', 'ML-KEM-encapDecap-FIPS203-tr1'].flatMap((file) =>
      ['encapsulation', 'decapsulation'].map((what) => acvp(file, what).length),
    ),
  ];
  report(
    t,
    checked,
    counts.reduce((sum, count) => sum + share(count), 3),
    'ACVP and CCTV cases on the twin',
  );
});
