/**
 * Arithmetic modulo q = 8380417 (FIPS 204 section 2.3) on signed 32-bit coefficients, without division: products are
 * reduced by Montgomery's method with R = 2^32 (FIPS 204 appendix A), sums by a multiple of q that a shift finds.
 *
 * Values are only loosely reduced in between; each function says what it takes and gives. Not for any other modulus.
 */

/** FIPS 204 section 4, table 1. */
export const Q: i32 = 8380417;
/** q^-1 mod 2^32. */
const Q_INVERSE: i32 = 58728449;

/** x / 2^32 mod q, within (-q, q), for |x| < 2^31 q. */
@inline
export function montgomery(x: i64): i32 {
  const m = <i32>x * Q_INVERSE;
  return <i32>((x - <i64>m * Q) >> 32);
}

/** a * b / 2^32 mod q, within (-q, q), for every a and |b| < q. */
@inline
export function times(a: i32, b: i32): i32 {
  return montgomery(<i64>a * b);
}

/** a mod q, within 0.75 q, for |a| < 2^31 - 2^22: 2^23 is nearly q. */
@inline
export function reduce(a: i32): i32 {
  return a - ((a + (1 << 22)) >> 23) * Q;
}

/** a mod q in [0, q), for the same a. */
@inline
export function canonical(a: i32): i32 {
  const r = reduce(a);
  return r + ((r >> 31) & Q);
}

/** All ones when |a| >= bound, zero otherwise, for |a| and bound below 2^30. */
@inline
export function exceeds(a: i32, bound: i32): i32 {
  const sign = a >> 31;
  return (bound - 1 - ((a ^ sign) - sign)) >> 31;
}
