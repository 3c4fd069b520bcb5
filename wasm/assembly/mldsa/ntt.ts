/**
 * The number-theoretic transform of ML-DSA and products in its domain (FIPS 204 sections 7.5 and 7.6, algorithms 41, 42 and 45).
 * A polynomial is 256 signed 32-bit coefficients in memory; the order of coefficients is the specification's.
 *
 * Bounds: ntt() takes |x| <= q and adds at most q a layer, eight layers: 9q < 2^31. inverse() takes |x| <= q and doubles
 * at most eight times: 256 q < 2^31. Not for polynomials of another degree.
 */
import { DSA_POLY } from '../memory';
import { montgomery, times } from './arithmetic';

/** 1753^BitRev8(k) * 2^32 mod q (FIPS 204 appendix B), made when the module starts, which is shorter than a table. */
const POWERS: usize = memory.data(1024, 16);
/** 1753 * 2^32 mod q, and 2^32 mod q. */
const ROOT: i32 = 2091667;
const ONE: i32 = 4193792;
/** 2^64 / 256 mod q: undoes the sum of the layers, and the 2^-32 of the product before. */
const SCALE: i32 = 41978;

makePowers();

function makePowers(): void {
  let power = ONE;
  for (let i: u32 = 0; i < 256; i++) {
    let reversed: u32 = 0;
    for (let bit: u32 = 0; bit < 8; bit++) reversed |= ((i >> bit) & 1) << (7 - bit);
    store<i32>(POWERS + (<usize>reversed << 2), power);
    power = times(power, ROOT);
  }
}

/** Algorithm 41, in place; the result is within 9q. */
export function ntt(poly: usize): void {
  let k: usize = 0;
  for (let length: usize = 512; length >= 4; length >>= 1) {
    for (let start = poly; start < poly + DSA_POLY; start += length << 1) {
      k += 4;
      const z = load<i32>(POWERS + k);
      for (let at = start; at < start + length; at += 4) {
        const t = times(load<i32>(at + length), z);
        const a = load<i32>(at);
        store<i32>(at, a + t);
        store<i32>(at + length, a - t);
      }
    }
  }
}

/**
 * Algorithm 42, in place, on a product of this domain. The last factor is small, so the result is within q/2 + 20,989: what
 * is smaller than q/2 by more than that comes out as itself.
 */
export function inverse(poly: usize): void {
  let k: usize = 1024;
  for (let length: usize = 4; length <= 512; length <<= 1) {
    for (let start = poly; start < poly + DSA_POLY; start += length << 1) {
      k -= 4;
      const z = -load<i32>(POWERS + k);
      for (let at = start; at < start + length; at += 4) {
        const a = load<i32>(at);
        const b = load<i32>(at + length);
        store<i32>(at, a + b);
        store<i32>(at + length, times(a - b, z));
      }
    }
  }
  for (let at = poly; at < poly + DSA_POLY; at += 4) store<i32>(at, times(load<i32>(at), SCALE));
}

/** out = a * b in this domain, within q, for |a|, |b| <= 9q. The result lacks a factor of 2^32, which inverse() brings. */
export function multiply(out: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < DSA_POLY; i += 4) store<i32>(out + i, times(load<i32>(a + i), load<i32>(b + i)));
}

/** out = the sum of five products like that of multiply(), one row of A-hat by a vector, within q: 45 q^2 is below 2^31 q. */
export function innerProduct(out: usize, row: usize, vector: usize): void {
  for (let i: usize = 0; i < DSA_POLY; i += 4) {
    let sum: i64 = 0;
    for (let at: usize = i; at < i + 5 * DSA_POLY; at += DSA_POLY) {
      sum += <i64>load<i32>(row + at) * load<i32>(vector + at);
    }
    store<i32>(out + i, montgomery(sum));
  }
}
