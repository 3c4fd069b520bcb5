/**
 * Where ML-DSA's polynomials come from (FIPS 204 section 7.3, algorithms 29 to 34): uniform ones from a public seed, short
 * and masking ones from secret seeds, the challenge from its hash. All but the challenge come in pairs, one from each of
 * two sponges.
 *
 * Rejection branches on whether a candidate was taken: that is independent of the value of those that are, so it is public
 * even where these are secret. Not for other parameter sets than ML-DSA-65.
 */
import { begin, expandPair, finish, permute, SHAKE, SHAKE128_RATE, SHAKE256_RATE, take } from '../keccak';
import { DSA_A, DSA_C, DSA_CHALLENGE, DSA_POLY, DSA_S1, DSA_XOF, DSA_XOF_SIZE, DSA_Y } from '../memory';
import { Q } from './arithmetic';
import { MASK_BITS, mirror, unpack } from './encoding';

/** So many coefficients of a challenge are not zero (FIPS 204 section 4, table 1). */
const TAU: usize = 49;
const ETA: i32 = 4;
export const GAMMA1: i32 = 1 << 19;

/** Two bytes and the domain bits behind a seed. */
@inline
function behind(two: usize): u64 {
  return <u64>two | (SHAKE << 16);
}

/** Algorithm 30's rejections for one block of a sponge, 56 triples of bytes. @returns where the next coefficient goes. */
function sieve(at: usize, end: usize, sponge: usize): usize {
  take(DSA_XOF, SHAKE128_RATE, sponge);
  for (let from = DSA_XOF; from < DSA_XOF + SHAKE128_RATE; from += 3) {
    const candidate = (<i32>load<u16>(from) | (<i32>load<u8>(from, 2) << 16)) & 0x7fffff;
    if (at < end) { // public: the matrix is made from rho, which everybody sees
      store<i32>(at, candidate);
      at += <usize>((candidate - Q) >> 31) & 4;
    }
  }
  return at;
}

/** n / 5 for n below 64. */
@inline
function fifth(n: usize): usize {
  return (n * 13) >> 6;
}

/** s | r of algorithm 32, line 3, for the n-th entry of the matrix. */
@inline
function entry(n: usize): usize {
  const row = fifth(n);
  return (n - 5 * row) | (row << 8);
}

/** Algorithm 32: A-hat at DSA_A, row by row, from the 32 bytes rho. */
export function sampleMatrix(rho: usize): void {
  for (let n: usize = 0; n < 30; n += 2) {
    const first = DSA_A + n * DSA_POLY;
    const second = first + DSA_POLY;
    const end = second + DSA_POLY;
    expandPair(rho, 32, behind(entry(n)), behind(entry(n + 1)), SHAKE128_RATE);
    let at0 = sieve(first, second, 0);
    let at1 = sieve(second, end, 1);
    while (((second - at0) | (end - at1)) != 0) { // public: as above
      permute();
      at0 = sieve(at0, second, 0);
      at1 = sieve(at1, end, 1);
    }
  }
}

/** Algorithm 31's rejections for one block of a sponge, two candidates a byte (algorithm 15 with eta = 4). */
function sieveShort(at: usize, end: usize, sponge: usize): usize {
  take(DSA_XOF, SHAKE256_RATE, sponge);
  for (let half: usize = 0; half < 2 * SHAKE256_RATE; half++) {
    const candidate = <i32>(load<u8>(DSA_XOF + (half >> 1)) >> <u8>((half & 1) << 2)) & 15;
    if (at < end) { // public: how many were refused
      store<i32>(at, ETA - candidate);
      at += <usize>((candidate - 9) >> 31) & 4;
    }
  }
  return at;
}

/** Algorithm 33: s1 and s2 from the 64 bytes rho'. A twelfth polynomial is made behind them, for others to write over. */
export function sampleShort(seed: usize): void {
  for (let n: usize = 0; n < 12; n += 2) {
    const first = DSA_S1 + n * DSA_POLY;
    const second = first + DSA_POLY;
    const end = second + DSA_POLY;
    expandPair(seed, 64, behind(n), behind(n + 1), SHAKE256_RATE);
    let at0 = sieveShort(first, second, 0);
    let at1 = sieveShort(second, end, 1);
    while (((second - at0) | (end - at1)) != 0) { // public: how many were refused
      permute();
      at0 = sieveShort(at0, second, 0);
      at1 = sieveShort(at1, end, 1);
    }
  }
}

/** Algorithm 34: y at DSA_Y, and one polynomial more, from the 64 bytes rho'' and kappa. */
export function sampleMask(seed: usize, kappa: usize): void {
  for (let n: usize = 0; n < 6; n += 2) {
    expandPair(seed, 64, behind(kappa + n), behind(kappa + n + 1), SHAKE256_RATE);
    for (let at: usize = 0; at < 5 * SHAKE256_RATE; at += SHAKE256_RATE) {
      take(DSA_XOF + at, SHAKE256_RATE, 0);
      take(DSA_XOF + DSA_XOF_SIZE + at, SHAKE256_RATE, 1);
      permute();
    }
    const poly = DSA_Y + n * DSA_POLY;
    unpack(poly, DSA_XOF, MASK_BITS);
    mirror(poly, GAMMA1);
    unpack(poly + DSA_POLY, DSA_XOF + DSA_XOF_SIZE, MASK_BITS);
    mirror(poly + DSA_POLY, GAMMA1);
  }
}

/** Algorithm 29: the challenge at DSA_C from its hash at DSA_CHALLENGE. */
export function sampleChallenge(): void {
  memory.fill(DSA_C, 0, DSA_POLY);
  begin();
  finish(DSA_CHALLENGE, 48, SHAKE, SHAKE256_RATE);
  take(DSA_XOF, SHAKE256_RATE, 0);
  let signs = load<u64>(DSA_XOF);
  let from = DSA_XOF + 8;
  for (let i: usize = 256 - TAU; i < 256; i++) {
    let j: usize = 256;
    while (j > i) { // public: a challenge is published, and one that is not says nothing of y, whose hash it is
      if (from == DSA_XOF + SHAKE256_RATE) { // public: as above; more than a block is hardly ever asked for, and by no test
        permute();
        take(DSA_XOF, SHAKE256_RATE, 0);
        from = DSA_XOF;
      }
      j = load<u8>(from++);
    }
    store<i32>(DSA_C + (i << 2), load<i32>(DSA_C + (j << 2)));
    store<i32>(DSA_C + (j << 2), 1 - (<i32>(signs & 1) << 1));
    signs >>= 1;
  }
}
