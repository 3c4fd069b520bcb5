/**
 * ML-KEM-768 as FIPS 203 tells it, with division, lists of numbers and no thought of time: the slow twin of
 * wasm/assembly/mlkem. SHA-3 comes from node:crypto. Not for anything but tests.
 */
import { createHash } from 'node:crypto';
import { add, inverseNtt, mod, multiplyNtt, ntt, type Poly, q, subtract } from './ntt.ts';

const rank = 3;
const indices = [0, 1, 2] as const;

function hash(name: string, length: number, ...parts: (Uint8Array | number[])[]): Uint8Array {
  const options = name.startsWith('shake') ? { outputLength: length } : {};
  const state = createHash(name, options);
  for (const part of parts) state.update(Uint8Array.from(part));
  return new Uint8Array(state.digest());
}

const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

const bitsOf = (bytes: Uint8Array): number[] =>
  [...bytes].flatMap((b) => [0, 1, 2, 3, 4, 5, 6, 7].map((i) => (b >> i) & 1));

/** Algorithms 5 and 6. */
function encode(d: number, f: Poly): Uint8Array {
  const bits = f.flatMap((x) => Array.from({ length: d }, (_, i) => (x >> i) & 1));
  return Uint8Array.from({ length: bits.length / 8 }, (_, i) =>
    bits.slice(8 * i, 8 * i + 8).reduce((s, b, k) => s | (b << k), 0),
  );
}

function decode(d: number, bytes: Uint8Array): Poly {
  const bits = bitsOf(bytes);
  return Array.from({ length: 256 }, (_, i) => bits.slice(d * i, d * i + d).reduce((s, b, k) => s | (b << k), 0));
}

/** Section 4.2.1; halves round up. */
const compress = (d: number, f: Poly): Poly => f.map((x) => Math.floor((2 * x * 2 ** d + q) / (2 * q)) % 2 ** d);
const decompress = (d: number, f: Poly): Poly => f.map((y) => Math.floor((2 * q * y + 2 ** d) / 2 ** (d + 1)));

/** Algorithm 7; 2,000 bytes are more than any seed was ever seen to need. */
function sampleNtt(rho: Uint8Array, j: number, i: number): Poly {
  const stream = hash('shake128', 2000, rho, [j, i]);
  const f: Poly = [];
  for (let at = 0; f.length < 256; at += 3) {
    const [a, b, c] = [stream[at]!, stream[at + 1]!, stream[at + 2]!];
    f.push(...[a + 256 * (b % 16), Math.floor(b / 16) + 16 * c].filter((x) => x < q));
  }
  return f.slice(0, 256);
}

/** Algorithm 8, eta = 2. */
function sampleNoise(seed: Uint8Array, nonce: number): Poly {
  const bits = bitsOf(hash('shake256', 128, seed, [nonce]));
  return Array.from({ length: 256 }, (_, i) =>
    mod(bits[4 * i]! + bits[4 * i + 1]! - bits[4 * i + 2]! - bits[4 * i + 3]!),
  );
}

const noise = (seed: Uint8Array, from: number): Poly[] => indices.map((i) => sampleNoise(seed, from + i));

/** The matrix entry [i, j]. */
const matrix = (rho: Uint8Array): Poly[][] => indices.map((i) => indices.map((j) => sampleNtt(rho, j, i)));
const inner = (a: Poly[], b: Poly[]): Poly => a.map((x, i) => multiplyNtt(x, b[i]!)).reduce(add);
const polys = (bytes: Uint8Array, d: number): Poly[] =>
  indices.map((i) => decode(d, bytes.subarray(32 * d * i, 32 * d * (i + 1))));

/** Algorithms 13 and 16. */
export function generate(seed: Uint8Array): { ek: Uint8Array; dk: Uint8Array } {
  const [d, z] = [seed.subarray(0, 32), seed.subarray(32, 64)];
  const pair = hash('sha3-512', 64, d, [rank]);
  const [rho, sigma] = [pair.subarray(0, 32), pair.subarray(32)];
  const [s, e] = [noise(sigma, 0).map(ntt), noise(sigma, rank).map(ntt)];
  const t = matrix(rho).map((row, i) => add(inner(row, s), e[i]!));
  const ek = join(...t.map((poly) => encode(12, poly)), rho);
  return { ek, dk: join(...s.map((poly) => encode(12, poly)), ek, hash('sha3-256', 32, ek), z) };
}

/** Algorithm 14. */
function encrypt(ek: Uint8Array, message: Uint8Array, randomness: Uint8Array): Uint8Array {
  const [t, A] = [polys(ek, 12), matrix(ek.subarray(1152))];
  const [y, e1, e2] = [noise(randomness, 0).map(ntt), noise(randomness, rank), sampleNoise(randomness, 2 * rank)];
  const column = (i: number): Poly[] => A.map((row) => row[i]!);
  const u = indices.map((i) => add(inverseNtt(inner(column(i), y)), e1[i]!));
  const v = add(add(inverseNtt(inner(t, y)), e2), decompress(1, decode(1, message)));
  return join(...u.map((poly) => encode(10, compress(10, poly))), encode(4, compress(4, v)));
}

/** Algorithm 15. */
function decrypt(dk: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const u = polys(ciphertext, 10).map((poly) => ntt(decompress(10, poly)));
  const v = decompress(4, decode(4, ciphertext.subarray(960)));
  return encode(1, compress(1, subtract(v, inverseNtt(inner(polys(dk, 12), u)))));
}

/** Section 7.2 and algorithm 17. @returns null when the key fails the modulus check. */
export function encapsulate(ek: Uint8Array, m: Uint8Array): { ciphertext: Uint8Array; secret: Uint8Array } | null {
  if (polys(ek, 12).some((poly) => poly.some((x) => x >= q))) return null;
  const pair = hash('sha3-512', 64, m, hash('sha3-256', 32, ek));
  return { ciphertext: encrypt(ek, m, pair.subarray(32)), secret: pair.subarray(0, 32) };
}

/** Algorithm 18. */
export function decapsulate(dk: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const [ek, h, z] = [dk.subarray(1152, 2336), dk.subarray(2336, 2368), dk.subarray(2368)];
  const m = decrypt(dk, ciphertext);
  const pair = hash('sha3-512', 64, m, h);
  const again = encrypt(ek, m, pair.subarray(32));
  return Buffer.compare(again, ciphertext) === 0 ? pair.subarray(0, 32) : hash('shake256', 32, z, ciphertext);
}
