/** Each kernel beside its slow twin of test/reference, and each twin beside something neither of them is made of. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { chacha20Block, chacha20Poly1305 } from '../reference/chacha20.ts';
import { fromLittleEndian, toLittleEndian } from '../reference/integers.ts';
import { keccak } from '../reference/keccak.ts';
import { decapsulate, encapsulate, generate } from '../reference/mlkem.ts';
import { inverseNtt, multiplyNtt, ntt, q, schoolbook } from '../reference/ntt.ts';
import { poly1305 } from '../reference/poly1305.ts';
import { sha256 } from '../reference/sha256.ts';
import { x25519 } from '../reference/x25519.ts';
import { needsVectors, vectorJson } from '../support/vectors.ts';
import { fromHex, report, toHex } from './cases.ts';
import { seeded } from './seeded.ts';
import { decapsulateFrom, freshKernel, rawDecapsulate, rawGenerate } from './under-test.ts';

const underTest = freshKernel();
const { kernel } = underTest;
const random = seeded();
const seed = `LATCHKEY_SEED=${random.seed}`;

test('QZ-16: the twins of ChaCha20 and Poly1305 give the answers of RFC 8439', needsVectors, (t) => {
  type Block = { key: string; nonce: string; counter: number; keystream: string };
  type Rfc8439 = {
    block: Block[];
    poly1305: { key: string; msg: string; tag: string }[];
    polyKeyGen: { key: string; nonce: string; otk: string }[];
  };
  const vectors = vectorJson<Rfc8439>('rfc/rfc8439.json');
  let verified = 0;
  for (const c of vectors.block) {
    assert.equal(toHex(chacha20Block(fromHex(c.key), c.counter, fromHex(c.nonce))), c.keystream);
    verified++;
  }
  for (const c of vectors.poly1305) {
    assert.equal(toHex(poly1305(fromHex(c.key), fromHex(c.msg))), c.tag);
    verified++;
  }
  for (const c of vectors.polyKeyGen) {
    assert.equal(toHex(chacha20Block(fromHex(c.key), 0, fromHex(c.nonce))).slice(0, 64), c.otk);
    verified++;
  }
  report(t, verified, 4, 'RFC 8439 vectors on the twins');
});

test('QZ-16: ChaCha20-Poly1305 equals its twin', (t) => {
  let verified = 0;
  for (const length of [0, 1, 15, 16, 17, 63, 64, 191, 192, 193, 255, 256, 447, 448, 449, 700, 705]) {
    const [key, nonce, ad, text] = [
      random.bytes(32),
      random.bytes(12),
      random.bytes(length % 37),
      random.bytes(length),
    ];
    assert.equal(toHex(kernel.aeadSeal(key, nonce, ad, text)), toHex(chacha20Poly1305(key, nonce, ad, text)), seed);
    verified++;
  }
  report(t, verified, 17, 'ChaCha20-Poly1305 texts equal to the twin');
});

/** Ciphertexts of ones and zeros make the longest carries. */
test('QZ-16: Poly1305 equals its twin on ciphertexts of ones and zeros', (t) => {
  let verified = 0;
  for (let round = 0; round < 200; round++) {
    const [key, nonce] = [random.bytes(32), random.bytes(12)];
    const ciphertext = Uint8Array.from({ length: 64 }, () => [0xff, 0x00, 0xfb, 0xfe][random.below(4)]!);
    const stream = kernel.aeadSeal(key, nonce, new Uint8Array(0), new Uint8Array(64)).slice(0, 64);
    const text = ciphertext.map((byte, i) => byte ^ stream[i]!);
    const sealed = kernel.aeadSeal(key, nonce, new Uint8Array(0), text);
    assert.equal(toHex(sealed), toHex(chacha20Poly1305(key, nonce, new Uint8Array(0), text)), seed);
    verified++;
  }
  report(t, verified, 200, 'chosen ciphertexts equal to the twin');
});

/**
 * The last step of Poly1305 subtracts p or does not. One ciphertext block c before the length block makes the sum
 * ((2^128 + c) r + 2^128 + lengths) r: solved for c, so that the sum is 0 to 4 modulo p, which limbs hold as p to p + 4.
 */
test('QZ-16: Poly1305 equals its twin where the sum is p to p + 4', (t) => {
  const p = (1n << 130n) - 5n;
  const mod = (value: bigint): bigint => ((value % p) + p) % p;
  const inverse = (value: bigint): bigint => {
    let result = 1n;
    for (let bit = 129n; bit >= 0n; bit--) {
      result = mod(result * result);
      if (((p - 2n) >> bit) & 1n) result = mod(result * value);
    }
    return result;
  };
  const nothing = new Uint8Array(0);
  let verified = 0;
  for (let tries = 0; tries < 1000 && verified < 25; tries++) {
    const [key, nonce, target] = [random.bytes(32), random.bytes(12), BigInt(verified % 5)];
    const r = fromLittleEndian(chacha20Block(key, 0, nonce).subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
    const lengths = (1n << 128n) + (16n << 64n);
    const c = mod(mod(target * inverse(r) - lengths) * inverse(r)) - (1n << 128n);
    if (c < 0n || c >= 1n << 128n) continue;
    const stream = kernel.aeadSeal(key, nonce, nothing, new Uint8Array(16)).slice(0, 16);
    const text = toLittleEndian(c, 16).map((byte, i) => byte ^ stream[i]!);
    assert.equal(
      toHex(kernel.aeadSeal(key, nonce, nothing, text)),
      toHex(chacha20Poly1305(key, nonce, nothing, text)),
      seed,
    );
    verified++;
  }
  report(t, verified, 25, 'sums at the edge of the modulus');
});

test('QZ-12: X25519 equals its twin, on points above the modulus too', (t) => {
  const edges = [0n, 1n, 2n, (1n << 255n) - 20n, (1n << 255n) - 19n, (1n << 255n) - 1n, (1n << 256n) - 1n];
  const points = edges.map((edge) => toLittleEndian(edge, 32));
  while (points.length < 40) points.push(random.bytes(32));
  let verified = 0;
  for (const point of points) {
    const scalar = random.bytes(32);
    assert.equal(toHex(kernel.x25519(scalar, point)), toHex(x25519(scalar, point)), seed);
    verified++;
  }
  report(t, verified, 40, 'X25519 results equal to the twin');
});

test('QZ-14: SHA-256 equals its twin at every length around its blocks, and the twin equals OpenSSL', (t) => {
  let verified = 0;
  for (let length = 0; length <= 130; length++) {
    const message = random.bytes(length);
    const expected = createHash('sha256').update(message).digest('hex');
    assert.equal(toHex(sha256(message)), expected, seed);
    assert.equal(toHex(kernel.sha256(message)), expected, seed);
    verified++;
  }
  report(t, verified, 131, 'SHA-256 digests equal to the twin');
});

test('QZ-13: the twin of Keccak equals OpenSSL around its blocks', (t) => {
  let verified = 0;
  for (const length of [0, 1, 7, 8, 71, 72, 73, 135, 136, 137, 167, 168, 169, 400]) {
    const message = random.bytes(length);
    for (const name of ['sha3-256', 'sha3-512', 'shake128', 'shake256'] as const) {
      const options = name.startsWith('shake') ? { outputLength: 500 } : {};
      const expected = createHash(name, options).update(message).digest('hex');
      assert.equal(toHex(keccak[name](message, 500)), expected, seed);
      verified++;
    }
  }
  report(t, verified, 56, 'digests of the twin of Keccak');
});

/** H(ek) stands in an expanded key, G gives the secret of a message, J that of a ciphertext nobody made. */
test('QZ-13: the sponges inside ML-KEM equal their twin: H, G and J', (t) => {
  let verified = 0;
  for (let round = 0; round < 10; round++) {
    const [keySeed, message, stranger] = [random.bytes(64), random.bytes(32), random.bytes(1088)];
    const { ek, dk } = rawGenerate(underTest, keySeed);
    const h = keccak['sha3-256'](ek);
    assert.equal(toHex(dk.subarray(2336, 2368)), toHex(h), seed);
    const g = keccak['sha3-512'](Uint8Array.from([...message, ...h]));
    assert.equal(toHex(kernel.mlkemEncapsulate(ek, message).secret), toHex(g.subarray(0, 32)), seed);
    const j = keccak.shake256(Uint8Array.from([...keySeed.subarray(32), ...stranger]), 32);
    assert.equal(toHex(decapsulateFrom(kernel, keySeed, stranger)), toHex(j), seed);
    verified += 3;
  }
  report(t, verified, 30, 'digests inside ML-KEM equal to the twin');
});

test('QZ-13: the twin of the NTT multiplies as the schoolbook does', () => {
  const poly = () => Array.from({ length: 256 }, () => random.below(q));
  const [a, b] = [poly(), poly()];
  assert.deepEqual(inverseNtt(ntt(a)), a, seed);
  assert.deepEqual(inverseNtt(multiplyNtt(ntt(a), ntt(b))), schoolbook(a, b), seed);
});

test('QZ-13: compression by a reciprocal or a comparison equals the division it stands for, for every coefficient', (t) => {
  const reciprocals = [
    { d: 10n, factor: 1290167n, shift: 32n, bits: 64 },
    { d: 4n, factor: 80635n, shift: 28n, bits: 32 },
  ];
  let verified = 0;
  for (const { d, factor, shift, bits } of reciprocals) {
    for (let x = 0n; x < BigInt(q); x++) {
      const exact = ((2n * (x << d) + BigInt(q)) / (2n * BigInt(q))) % (1n << d);
      const product = BigInt.asUintN(bits, ((x << d) + 1665n) * factor);
      assert.equal((product >> shift) % (1n << d), exact, `${d} bits, ${x}`);
      verified++;
    }
  }
  // One bit is a comparison.
  for (let x = 0n; x < BigInt(q); x++) {
    assert.equal(x >= 833n && x <= 2496n, ((4n * x + BigInt(q)) / (2n * BigInt(q))) % 2n === 1n, `1 bit, ${x}`);
    verified++;
  }
  report(t, verified, 3 * q, 'compressed coefficients');
});

test('QZ-13: ML-KEM-768 equals its twin: keys, ciphertexts, secrets and rejections', (t) => {
  let verified = 0;
  for (let round = 0; round < 4; round++) {
    const [keySeed, message] = [random.bytes(64), random.bytes(32)];
    const twin = generate(keySeed);
    assert.deepEqual(rawGenerate(underTest, keySeed), twin, seed);
    const made = encapsulate(twin.ek, message)!;
    assert.deepEqual(kernel.mlkemEncapsulate(twin.ek, message), made, seed);
    assert.deepEqual(rawDecapsulate(underTest, twin.dk, made.ciphertext), made.secret, seed);
    const forged = made.ciphertext.slice();
    forged[random.below(1088)]! ^= 1 << random.below(8);
    assert.deepEqual(decapsulateFrom(kernel, keySeed, forged), decapsulate(twin.dk, forged), seed);
    assert.notDeepEqual(decapsulateFrom(kernel, keySeed, forged), made.secret, seed);
    verified++;
  }
  report(t, verified, 4, 'ML-KEM-768 runs equal to the twin');
});
