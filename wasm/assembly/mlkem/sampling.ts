/**
 * Where ML-KEM's polynomials come from (FIPS 203 section 4.2.2): uniform ones from a public seed by rejection
 * (algorithm 7), small ones from a secret seed by the centred binomial distribution (algorithm 8). Both come in pairs,
 * one from each of two sponges.
 *
 * samplePair() branches on what it reads, which is public: never give it a secret seed.
 */
import { expandPair, permute, SHAKE, SHAKE128_RATE, SHAKE256_RATE, take } from '../keccak';
import { NOISE, POLY, VECTOR, XOF_OUTPUT } from '../memory';
import { Q } from './arithmetic';

const DEGREE: i32 = 256;

/** rho | j | i of algorithm 13, line 5, behind the seed. */
@inline
function entry(i: usize, j: usize): u64 {
  return <u64>j | (<u64>i << 8) | (SHAKE << 16);
}

/** Lines 4 to 14 of algorithm 7 for one block of a sponge, 56 triples. @returns how many coefficients there are now. */
function sieve(out: usize, from: i32, sponge: usize): i32 {
  take(XOF_OUTPUT, SHAKE128_RATE, sponge);
  let count = from;
  for (let at = XOF_OUTPUT; at < XOF_OUTPUT + SHAKE128_RATE; at += 3) {
    const triple = <i32>load<u16>(at) | (<i32>load<u8>(at, 2) << 16);
    const low = triple & 0xfff;
    const high = triple >> 12;
    // What is refused is written too, and then over: to guess each outcome costs more than to store it.
    if (count < DEGREE) { // public: the matrix is made from rho, which everybody sees
      store<i16>(out + (<usize>count << 1), <i16>low);
      count += <i32>(low < Q);
    }
    if (count < DEGREE) { // public: as above
      store<i16>(out + (<usize>count << 1), <i16>high);
      count += <i32>(high < Q);
    }
  }
  return count;
}

/** Two entries of the matrix. */
function samplePair(rho: usize, out0: usize, entry0: u64, out1: usize, entry1: u64): void {
  expandPair(rho, 32, entry0, entry1, SHAKE128_RATE);
  let count0 = sieve(out0, 0, 0);
  let count1 = sieve(out1, 0, 1);
  while ((count0 & count1) < DEGREE) { // public: as above; a full polynomial has exactly 256
    permute();
    count0 = sieve(out0, count0, 0);
    count1 = sieve(out1, count1, 1);
  }
}

/** A-hat, row by row (algorithm 13, lines 3 to 7). Nine entries: the last one stands in both sponges. */
export function sampleMatrix(matrix: usize, rho: usize): void {
  for (let i: usize = 0; i < 3; i++) {
    const row = matrix + i * VECTOR;
    samplePair(rho, row, entry(i, 0), row + POLY, entry(i, 1));
  }
  const last = matrix + 2 * POLY;
  samplePair(rho, last, entry(0, 2), last + VECTOR, entry(1, 2));
  samplePair(rho, last + 2 * VECTOR, entry(2, 2), last + 2 * VECTOR, entry(2, 2));
}

/**
 * Algorithm 8 with eta = 2 over 128 bytes of a sponge: sums of two bits less sums of two bits. A byte holds two
 * coefficients, the first in its low half.
 */
function binomial(out: usize, sponge: usize): void {
  take(XOF_OUTPUT, 128, sponge);
  for (let i: usize = 0; i < 128; i += 16) {
    const bits = v128.load(XOF_OUTPUT + i);
    const ones = i8x16.splat(0x55);
    const sums = i8x16.add(v128.and(bits, ones), v128.and(i32x4.shr_u(bits, 1), ones));
    const plus = v128.and(sums, i8x16.splat(0x33));
    const minus = v128.and(i32x4.shr_u(sums, 2), i8x16.splat(0x33));
    const half = i8x16.splat(0x0f);
    const even = i8x16.sub(v128.and(plus, half), v128.and(minus, half));
    const odd = i8x16.sub(v128.and(i32x4.shr_u(plus, 4), half), v128.and(i32x4.shr_u(minus, 4), half));
    const first = v128.shuffle<i8>(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const second = v128.shuffle<i8>(even, odd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    const to = out + (i << 2);
    v128.store(to, i16x8.extend_low_i8x16_s(first));
    v128.store(to, i16x8.extend_high_i8x16_s(first), 16);
    v128.store(to, i16x8.extend_low_i8x16_s(second), 32);
    v128.store(to, i16x8.extend_high_i8x16_s(second), 48);
  }
}

/** The first `count` small polynomials at NOISE, from PRF(seed, 0), PRF(seed, 1) and so on; an even number of them. */
export function sampleNoise(seed: usize, count: usize): void {
  for (let nonce: usize = 0; nonce < count; nonce += 2) {
    const first = <u64>nonce | (SHAKE << 8);
    expandPair(seed, 32, first, first + 1, SHAKE256_RATE);
    binomial(NOISE + nonce * POLY, 0);
    binomial(NOISE + (nonce + 1) * POLY, 1);
  }
}
