/**
 * Arithmetic modulo q = 3329 on eight coefficients at a time (FIPS 203 section 2.4), without division: a product with
 * a known constant is reduced by Barrett's method with a precomputed quotient, a product of two unknowns by
 * Montgomery's. The rounding high product of Wasm SIMD (q15mulr) is what both the quotient and its bound rest on.
 *
 * Values are signed and only loosely reduced in between; canonical() gives [0, q). Not for any other modulus.
 */

/** FIPS 203 section 2.4. */
export const Q: i32 = 3329;
/** q^-1 mod 2^16. */
const Q_INVERSE: i32 = 62209;
/** 2^16 mod q, undoes Montgomery's factor; and round(that * 2^15 / q). */
const R: i16 = -1044;
const R_QUOTIENT: i16 = -10276;
/** round(2^15 / q), the quotient of the constant 1. */
const ONE_QUOTIENT: i16 = 10;

/** 17^BitRev7(i) mod q, centred (FIPS 203 appendix A). */
export const ZETAS: usize = memory.data<i16>([
  1, -1600, -749, -40, -687, 630, -1432, 848, 1062, -1410, 193, 797, -543, -69, 569, -1583,
  296, -882, 1339, 1476, -283, 56, -1089, 1333, 1426, -1235, 535, -447, -936, -450, -1355, 821,
  289, 331, -76, -1573, 1197, -1025, -1052, -1274, 650, -1352, -816, 632, -464, 33, 1320, -1414,
  -1010, 1435, 807, 452, 1438, -461, 1534, -927, -682, -712, 1481, 648, -855, -219, 1227, 910,
  17, -568, 583, -680, 1637, 723, -1041, 1100, 1409, -667, -48, 233, 756, -1173, -314, -279,
  -1626, 1651, -540, -1540, -1482, 952, 1461, -642, 939, -1021, -892, -941, 733, -992, 268, 641,
  1584, -1031, -1292, -109, 375, -780, -1239, 1645, 1063, 319, -556, 757, -1230, 561, -863, -735,
  -525, 1092, 403, 1026, 1143, -1179, -554, 886, -1607, 1212, -1455, 1029, -1219, -394, 885, -1175,
]);

/** round(zeta * 2^15 / q). */
export const ZETA_QUOTIENTS: usize = memory.data<i16>([
  10, -15749, -7373, -394, -6762, 6201, -14095, 8347, 10453, -13879, 1900, 7845, -5345, -679, 5601, -15582,
  2914, -8682, 13180, 14529, -2786, 551, -10719, 13121, 14036, -12156, 5266, -4400, -9213, -4429, -13338, 8081,
  2845, 3258, -748, -15483, 11782, -10089, -10355, -12540, 6398, -13308, -8032, 6221, -4567, 325, 12993, -13918,
  -9942, 14125, 7943, 4449, 14155, -4538, 15099, -9125, -6713, -7008, 14578, 6378, -8416, -2156, 12078, 8957,
  167, -5591, 5739, -6693, 16113, 7117, -10247, 10828, 13869, -6565, -472, 2293, 7441, -11546, -3091, -2746,
  -16005, 16251, -5315, -15159, -14588, 9371, 14381, -6319, 9243, -10050, -8780, -9262, 7215, -9764, 2638, 6309,
  15592, -10148, -12717, -1073, 3691, -7678, -12196, 16192, 10463, 3140, -5473, 7451, -12107, 5522, -8495, -7235,
  -5168, 10749, 3967, 10099, 11251, -11605, -5453, 8721, -15818, 11930, -14322, 10129, -11999, -3878, 8711, -11566,
]);

/** Read from memory, so that an engine keeps it in a register over a loop: it would rebuild a constant at each use. */
const MODULUS: usize = memory.data<i16>([3329]);

/** q in all eight lanes, the last argument of what follows. */
@inline
export function modulus(): v128 {
  return v128.load_splat<i16>(MODULUS);
}

/**
 * a * b mod q for a known b in (-q/2, q/2), with `quotient` = round(b * 2^15 / q).
 * Exact for every 16-bit a; the result is within (-q, q), and within 0.61 q while |a| <= 2q.
 */
@inline
export function times(a: v128, b: v128, quotient: v128, q: v128): v128 {
  return i16x8.sub(i16x8.mul(a, b), i16x8.mul(i16x8.q15mulr_sat_s(a, quotient), q));
}

/** a mod q, within (-0.65 q, 0.65 q), for every 16-bit a. */
@inline
export function reduce(a: v128, q: v128): v128 {
  return i16x8.sub(a, i16x8.mul(i16x8.q15mulr_sat_s(a, i16x8.splat(ONE_QUOTIENT)), q));
}

/** a mod q in [0, q). */
@inline
export function canonical(a: v128, q: v128): v128 {
  const r = reduce(a, q);
  return i16x8.add(r, v128.and(i16x8.shr_s(r, 15), q));
}

/** Montgomery: x / 2^16 mod q in 32-bit lanes, within (-q, q), for |x| < 2^15 q. */
@inline
function montgomery(x: v128): v128 {
  const m = i32x4.shr_s(i32x4.shl(i32x4.mul(x, i32x4.splat(Q_INVERSE)), 16), 16);
  return i32x4.shr_s(i32x4.sub(x, i32x4.mul(m, i32x4.splat(Q))), 16);
}

/** Sums of products for the even and the odd coefficients, reduced and interleaved again. */
@inline
export function reducePairs(even: v128, odd: v128, q: v128): v128 {
  const low = v128.and(montgomery(even), i32x4.splat(0xffff));
  const pairs = v128.or(low, i32x4.shl(montgomery(odd), 16));
  return times(pairs, i16x8.splat(R), i16x8.splat(R_QUOTIENT), q);
}
