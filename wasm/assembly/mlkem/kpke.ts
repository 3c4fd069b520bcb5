/**
 * K-PKE, the encryption scheme inside ML-KEM (FIPS 203 section 5), rank 3, eta 2, du 10, dv 4, on keys in the form that
 * is computed with (memory.ts): the transformed vectors and the whole matrix, so that the matrix is sampled once a key.
 *
 * Not for use by itself: it is only secure inside the transform of mlkem.ts.
 */
import { expandPair, SHA3, SHA3_512_RATE, take } from '../keccak';
import {
  KEM_A, KEM_PAIR, KEM_RHO, KEM_T, NOISE, NOISE_COUNT, POLY, POLY_V, POLY_W, PREPARED, VECTOR, VECTOR_U,
} from '../memory';
import { decode12, encode12, messageToPoly, pack10, pack4, polyToMessage, unpack10, unpack4 } from './encoding';
import { addTo, innerProduct, inverse, ntt, prepare, subtractFrom } from './ntt';
import { sampleMatrix, sampleNoise } from './sampling';

const RANK: usize = 3;
const POLY_BYTES: usize = 384;
const U_BYTES: usize = 320;
/** du * k * 32: where c2 starts in a ciphertext. */
const C2: usize = 3 * U_BYTES;
/** Where rho stands in an encapsulation key. */
const RHO: usize = 3 * POLY_BYTES;
/** e of key generation, e1 of encryption, and e2 behind it. */
const NOISE_E: usize = NOISE + VECTOR;
const NOISE_E2: usize = NOISE_E + VECTOR;

function nttVector(vector: usize): void {
  for (let poly = vector; poly < vector + VECTOR; poly += POLY) ntt(poly);
}

export function encodeVector(out: usize, vector: usize): void {
  for (let poly = vector; poly < vector + VECTOR; poly += POLY) {
    encode12(out, poly);
    out += POLY_BYTES;
  }
}

/** @returns 0 when all coefficients are below q. */
export function decodeVector(vector: usize, bytes: usize): u32 {
  let above: u32 = 0;
  for (let poly = vector; poly < vector + VECTOR; poly += POLY) {
    above |= decode12(poly, bytes);
    bytes += POLY_BYTES;
  }
  return above;
}

/** Algorithm 13: s-hat, t-hat, A-hat and rho of `key` from the 32 bytes d. */
export function generate(key: usize, d: usize): void {
  // (rho, sigma) = G(d | k)
  const suffix = <u64>RANK | (SHA3 << 8);
  expandPair(d, 32, suffix, suffix, SHA3_512_RATE);
  take(KEM_PAIR, 64, 0);
  memory.copy(key + KEM_RHO, KEM_PAIR, 32);
  sampleMatrix(key + KEM_A, key + KEM_RHO);
  sampleNoise(KEM_PAIR + 32, 2 * RANK);
  nttVector(NOISE);
  nttVector(NOISE_E);
  memory.copy(key, NOISE, VECTOR);
  prepare(key, PREPARED);
  for (let i: usize = 0; i < RANK; i++) {
    // t = A s + e
    const t = key + KEM_T + i * POLY;
    innerProduct(t, key + KEM_A + i * VECTOR, POLY, key, PREPARED);
    addTo(t, NOISE_E + i * POLY);
  }
}

/** The encapsulation key of `key`, 1184 bytes. */
export function encodePublic(ek: usize, key: usize): void {
  encodeVector(ek, key + KEM_T);
  memory.copy(ek + RHO, key + KEM_RHO, 32);
}

/**
 * t-hat, A-hat and rho of `key` from an encapsulation key.
 * @returns 0 when FIPS 203 section 7.2's modulus check holds: ByteEncode(ByteDecode(ek)) = ek.
 */
export function decodePublic(key: usize, ek: usize): u32 {
  memory.copy(key + KEM_RHO, ek + RHO, 32);
  sampleMatrix(key + KEM_A, key + KEM_RHO);
  return decodeVector(key + KEM_T, ek);
}

/** Algorithm 14: `out` 1088 bytes from a key, a 32-byte message and 32 bytes of randomness. */
export function encrypt(out: usize, key: usize, message: usize, randomness: usize): void {
  sampleNoise(randomness, NOISE_COUNT); // y, e1, e2
  nttVector(NOISE);
  prepare(NOISE, PREPARED);
  for (let i: usize = 0; i < RANK; i++) {
    // u = NTT^-1(A^T y) + e1
    innerProduct(POLY_V, key + KEM_A + i * POLY, VECTOR, NOISE, PREPARED);
    inverse(POLY_V);
    addTo(POLY_V, NOISE_E + i * POLY);
    pack10(out + i * U_BYTES, POLY_V);
  }
  // v = NTT^-1(t y) + e2 + mu
  innerProduct(POLY_V, key + KEM_T, POLY, NOISE, PREPARED);
  inverse(POLY_V);
  addTo(POLY_V, NOISE_E2);
  messageToPoly(POLY_W, message);
  addTo(POLY_V, POLY_W);
  pack4(out + C2, POLY_V);
}

/** Algorithm 15: the 32-byte message in a ciphertext. */
export function decrypt(out: usize, key: usize, ciphertext: usize): void {
  for (let i: usize = 0; i < RANK; i++) unpack10(VECTOR_U + i * POLY, ciphertext + i * U_BYTES);
  nttVector(VECTOR_U);
  prepare(VECTOR_U, PREPARED);
  // w = v' - NTT^-1(s u)
  innerProduct(POLY_V, key, POLY, VECTOR_U, PREPARED);
  inverse(POLY_V);
  unpack4(POLY_W, ciphertext + C2);
  subtractFrom(POLY_W, POLY_V);
  polyToMessage(out, POLY_W);
}
