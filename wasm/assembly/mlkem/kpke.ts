/**
 * K-PKE, the encryption scheme inside ML-KEM (FIPS 203 section 5), rank 3, eta 2, du 10, dv 4.
 *
 * Not for use by itself: it is only secure inside the transform of mlkem.ts.
 */
import { absorb, begin, pad, SHA3, SHA3_512_RATE, take } from '../keccak';
import { KEM_PAIR, MATRIX, POLY, POLY_V, POLY_W, VECTOR, VECTOR_E, VECTOR_S, VECTOR_S_GAMMA, VECTOR_T, XOF_INPUT } from '../memory';
import { decode12, encode12, messageToPoly, pack10, pack4, polyToMessage, unpack10, unpack4 } from './encoding';
import { addTo, innerProduct, inverse, normalize, ntt, prepare, subtractFrom } from './ntt';
import { sampleMatrix, sampleNoise, sampleTransposed } from './sampling';

const RANK: u8 = 3;
const POLY_BYTES: usize = 384;
const U_BYTES: usize = 320;
/** du * k * 32: where c2 starts in a ciphertext. */
const C2: usize = 3 * U_BYTES;
/** Where rho stands in an encapsulation key. */
const RHO: usize = 3 * POLY_BYTES;

/** Three small polynomials from `seed`, with nonces from `nonce` on. */
function noiseVector(out: usize, seed: usize, nonce: u8): void {
  for (let i: u8 = 0; i < RANK; i++) sampleNoise(out + <usize>i * POLY, seed, nonce + i);
}

function nttVector(vector: usize): void {
  for (let poly = vector; poly < vector + VECTOR; poly += POLY) ntt(poly);
}

function encodeVector(out: usize, vector: usize): void {
  for (let poly = vector; poly < vector + VECTOR; poly += POLY) {
    normalize(poly);
    encode12(out, poly);
    out += POLY_BYTES;
  }
}

/** @returns 0 when all coefficients are below q. */
function decodeVector(vector: usize, bytes: usize): u32 {
  let above: u32 = 0;
  for (let poly = vector; poly < vector + VECTOR; poly += POLY) {
    above |= decode12(poly, bytes);
    bytes += POLY_BYTES;
  }
  return above;
}

/** FIPS 203 section 7.2, the modulus check: ByteEncode(ByteDecode(ek)) = ek. @returns 0 when it holds. */
export function modulusCheck(ek: usize): u32 {
  return decodeVector(VECTOR_T, ek);
}

/** Algorithm 13: `ek` 1184 bytes and `dk` 1152 bytes from d. */
export function generate(d: usize, ek: usize, dk: usize): void {
  // (rho, sigma) = G(d | k)
  memory.copy(XOF_INPUT, d, 32);
  store<u8>(XOF_INPUT, RANK, 32);
  begin();
  absorb(XOF_INPUT, 33, SHA3_512_RATE);
  pad(SHA3, SHA3_512_RATE);
  take(KEM_PAIR, 64);
  const rho = KEM_PAIR;
  const sigma = KEM_PAIR + 32;
  sampleMatrix(rho);
  noiseVector(VECTOR_S, sigma, 0);
  noiseVector(VECTOR_E, sigma, RANK);
  nttVector(VECTOR_S);
  nttVector(VECTOR_E);
  prepare(VECTOR_S, VECTOR_S_GAMMA);
  for (let i: usize = 0; i < <usize>RANK; i++) {
    // t = A s + e
    const t = VECTOR_T + i * POLY;
    innerProduct(t, MATRIX + i * VECTOR, VECTOR_S, VECTOR_S_GAMMA);
    addTo(t, VECTOR_E + i * POLY);
  }
  encodeVector(ek, VECTOR_T);
  memory.copy(ek + RHO, rho, 32);
  encodeVector(dk, VECTOR_S);
}

/** Algorithm 14: `out` 1088 bytes from a key, a 32-byte message and 32 bytes of randomness. */
export function encrypt(out: usize, ek: usize, message: usize, randomness: usize): void {
  decodeVector(VECTOR_T, ek);
  sampleTransposed(ek + RHO);
  noiseVector(VECTOR_S, randomness, 0); // y
  noiseVector(VECTOR_E, randomness, RANK); // e1
  sampleNoise(POLY_W, randomness, 2 * RANK); // e2
  nttVector(VECTOR_S);
  prepare(VECTOR_S, VECTOR_S_GAMMA);
  for (let i: usize = 0; i < <usize>RANK; i++) {
    // u = NTT^-1(A^T y) + e1
    innerProduct(POLY_V, MATRIX + i * VECTOR, VECTOR_S, VECTOR_S_GAMMA);
    inverse(POLY_V);
    addTo(POLY_V, VECTOR_E + i * POLY);
    normalize(POLY_V);
    pack10(out + i * U_BYTES, POLY_V);
  }
  // v = NTT^-1(t y) + e2 + mu
  innerProduct(POLY_V, VECTOR_T, VECTOR_S, VECTOR_S_GAMMA);
  inverse(POLY_V);
  addTo(POLY_V, POLY_W);
  messageToPoly(POLY_W, message);
  addTo(POLY_V, POLY_W);
  normalize(POLY_V);
  pack4(out + C2, POLY_V);
}

/** Algorithm 15: the 32-byte message in a ciphertext. */
export function decrypt(out: usize, dk: usize, ciphertext: usize): void {
  for (let i: usize = 0; i < <usize>RANK; i++) unpack10(VECTOR_T + i * POLY, ciphertext + i * U_BYTES);
  nttVector(VECTOR_T);
  decodeVector(VECTOR_S, dk);
  prepare(VECTOR_S, VECTOR_S_GAMMA);
  // w = v' - NTT^-1(s u)
  innerProduct(POLY_V, VECTOR_T, VECTOR_S, VECTOR_S_GAMMA);
  inverse(POLY_V);
  unpack4(POLY_W, ciphertext + C2);
  subtractFrom(POLY_W, POLY_V);
  normalize(POLY_W);
  polyToMessage(out, POLY_W);
}
