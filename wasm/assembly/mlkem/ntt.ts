/**
 * The number-theoretic transform of ML-KEM and products in its domain (FIPS 203 sections 4.3, algorithms 9 to 12).
 * A polynomial is 256 signed 16-bit coefficients in memory; the order of coefficients is the specification's.
 *
 * Bounds: ntt() takes |x| <= q and adds at most q a layer, seven layers: 8q < 2^15, so nothing is reduced until its
 * end. inverse() reduces its sums at every layer. Not for polynomials of another degree.
 */
import { POLY, VECTOR } from '../memory';
import { modulus, reduce, reducePairs, times, ZETA_QUOTIENTS, ZETAS } from './arithmetic';

/** 128^-1 mod q, centred, and its quotient (algorithm 10, line 14). */
const SCALE: i16 = -26;
const SCALE_QUOTIENT: i16 = -256;

/** One zeta in all eight lanes. */
@inline
function zetaSplat(table: usize, index: usize): v128 {
  return v128.load_splat<i16>(table + (index << 1));
}

/** Two zetas, four lanes each. */
@inline
function zetaPair(table: usize, index: usize): v128 {
  const z = v128.load_splat<u32>(table + (index << 1));
  return v128.shuffle<i16>(z, z, 0, 0, 0, 0, 1, 1, 1, 1);
}

/** Four zetas, two lanes each. */
@inline
function zetaFour(table: usize, index: usize): v128 {
  const z = v128.load_splat<u64>(table + (index << 1));
  return v128.shuffle<i16>(z, z, 0, 0, 1, 1, 2, 2, 3, 3);
}

/** The same backwards: the inverse uses the zetas from the end. */
@inline
function zetaPairReversed(table: usize, index: usize): v128 {
  const z = v128.load_splat<u32>(table + (index << 1));
  return v128.shuffle<i16>(z, z, 1, 1, 1, 1, 0, 0, 0, 0);
}

@inline
function zetaFourReversed(table: usize, index: usize): v128 {
  const z = v128.load_splat<u64>(table + (index << 1));
  return v128.shuffle<i16>(z, z, 3, 3, 2, 2, 1, 1, 0, 0);
}

/** Algorithm 9, in place; the result is within 0.65 q. */
export function ntt(poly: usize): void {
  const q = modulus();
  let zeta: usize = 1;
  for (let length: usize = 256; length >= 16; length >>= 1) {
    for (let start = poly; start < poly + POLY; start += length << 1) {
      const z = zetaSplat(ZETAS, zeta);
      const quotient = zetaSplat(ZETA_QUOTIENTS, zeta);
      zeta++;
      for (let at = start; at < start + length; at += 16) {
        const a = v128.load(at);
        const t = times(v128.load(at + length), z, quotient, q);
        v128.store(at, i16x8.add(a, t));
        v128.store(at + length, i16x8.sub(a, t));
      }
    }
  }
  // Blocks of 8 and of 4 coefficients: two vectors are regrouped into the upper and the lower halves of their blocks.
  for (let at = poly; at < poly + POLY; at += 32) {
    const v = v128.load(at);
    const w = v128.load(at, 16);
    const a = v128.shuffle<i64>(v, w, 0, 2);
    const t = times(v128.shuffle<i64>(v, w, 1, 3), zetaPair(ZETAS, zeta), zetaPair(ZETA_QUOTIENTS, zeta), q);
    const sum = i16x8.add(a, t);
    const difference = i16x8.sub(a, t);
    v128.store(at, v128.shuffle<i64>(sum, difference, 0, 2));
    v128.store(at, v128.shuffle<i64>(sum, difference, 1, 3), 16);
    zeta += 2;
  }
  for (let at = poly; at < poly + POLY; at += 32) {
    const v = v128.load(at);
    const w = v128.load(at, 16);
    const a = v128.shuffle<i32>(v, w, 0, 2, 4, 6);
    const t = times(v128.shuffle<i32>(v, w, 1, 3, 5, 7), zetaFour(ZETAS, zeta), zetaFour(ZETA_QUOTIENTS, zeta), q);
    const sum = reduce(i16x8.add(a, t), q);
    const difference = reduce(i16x8.sub(a, t), q);
    v128.store(at, v128.shuffle<i32>(sum, difference, 0, 4, 1, 5));
    v128.store(at, v128.shuffle<i32>(sum, difference, 2, 6, 3, 7), 16);
    zeta += 4;
  }
}

/** Algorithm 10, in place; takes |x| <= q and leaves the same. */
export function inverse(poly: usize): void {
  const q = modulus();
  let zeta: usize = 128;
  for (let at = poly; at < poly + POLY; at += 32) {
    zeta -= 4;
    const v = v128.load(at);
    const w = v128.load(at, 16);
    const a = v128.shuffle<i32>(v, w, 0, 2, 4, 6);
    const b = v128.shuffle<i32>(v, w, 1, 3, 5, 7);
    const sum = reduce(i16x8.add(a, b), q);
    const t = times(i16x8.sub(b, a), zetaFourReversed(ZETAS, zeta), zetaFourReversed(ZETA_QUOTIENTS, zeta), q);
    v128.store(at, v128.shuffle<i32>(sum, t, 0, 4, 1, 5));
    v128.store(at, v128.shuffle<i32>(sum, t, 2, 6, 3, 7), 16);
  }
  for (let at = poly; at < poly + POLY; at += 32) {
    zeta -= 2;
    const v = v128.load(at);
    const w = v128.load(at, 16);
    const a = v128.shuffle<i64>(v, w, 0, 2);
    const b = v128.shuffle<i64>(v, w, 1, 3);
    const sum = reduce(i16x8.add(a, b), q);
    const t = times(i16x8.sub(b, a), zetaPairReversed(ZETAS, zeta), zetaPairReversed(ZETA_QUOTIENTS, zeta), q);
    v128.store(at, v128.shuffle<i64>(sum, t, 0, 2));
    v128.store(at, v128.shuffle<i64>(sum, t, 1, 3), 16);
  }
  for (let length: usize = 16; length <= 256; length <<= 1) {
    for (let start = poly; start < poly + POLY; start += length << 1) {
      zeta--;
      const z = zetaSplat(ZETAS, zeta);
      const quotient = zetaSplat(ZETA_QUOTIENTS, zeta);
      for (let at = start; at < start + length; at += 16) {
        const a = v128.load(at);
        const b = v128.load(at + length);
        v128.store(at, reduce(i16x8.add(a, b), q));
        v128.store(at + length, times(i16x8.sub(b, a), z, quotient, q));
      }
    }
  }
  for (let at = poly; at < poly + POLY; at += 16) {
    v128.store(at, times(v128.load(at), i16x8.splat(SCALE), i16x8.splat(SCALE_QUOTIENT), q));
  }
}

/**
 * Multiplies the odd coefficients of a vector by their gamma, 17^(2 BitRev7(i) + 1) (algorithm 12's argument), once for
 * all the products it will be in. The gammas come in pairs of opposite sign: zeta[64 + i] and its negative.
 */
export function prepare(vector: usize, out: usize): void {
  const q = modulus();
  const odd = i32x4.splat(0xffff0000);
  const negative = i64x2.splat(0xffff000000000000);
  for (let poly: usize = 0; poly < VECTOR; poly += POLY) {
    let zeta: usize = 64;
    for (let at = poly; at < poly + POLY; at += 16) {
      const v = v128.load(vector + at);
      const product = times(v, zetaPair(ZETAS, zeta), zetaPair(ZETA_QUOTIENTS, zeta), q);
      const signed = i16x8.sub(v128.xor(product, negative), negative);
      v128.store(out + at, v128.bitselect(signed, v, odd));
      zeta += 2;
    }
  }
}

/**
 * out = the sum over three polynomials of a_k * b_k (algorithms 11 and 12), where `prepared` is prepare(b) and a's
 * polynomials stand `stride` apart: rows of the matrix, or columns.
 * (a0 + a1 X)(b0 + b1 X) = a0 b0 + a1 b1 gamma + (a0 b1 + a1 b0) X mod X^2 - gamma: two dot products of pairs.
 * |a|, |b| <= q: six products stay below 2^27.
 */
export function innerProduct(out: usize, a: usize, stride: usize, b: usize, prepared: usize): void {
  const q = modulus();
  for (let at: usize = 0; at < POLY; at += 16) {
    let even = i32x4.splat(0);
    let odd = i32x4.splat(0);
    let x = a + at;
    for (let poly = at; poly < VECTOR; poly += POLY) {
      const v = v128.load(x);
      const y = v128.load(b + poly);
      even = i32x4.add(even, i32x4.dot_i16x8_s(v, v128.load(prepared + poly)));
      odd = i32x4.add(odd, i32x4.dot_i16x8_s(v, v128.shuffle<i16>(y, y, 1, 0, 3, 2, 5, 4, 7, 6)));
      x += stride;
    }
    v128.store(out + at, reducePairs(even, odd, q));
  }
}

/** a += b, coefficient by coefficient; not reduced. */
export function addTo(a: usize, b: usize): void {
  for (let at: usize = 0; at < POLY; at += 16) v128.store(a + at, i16x8.add(v128.load(a + at), v128.load(b + at)));
}

/** a -= b. */
export function subtractFrom(a: usize, b: usize): void {
  for (let at: usize = 0; at < POLY; at += 16) v128.store(a + at, i16x8.sub(v128.load(a + at), v128.load(b + at)));
}
