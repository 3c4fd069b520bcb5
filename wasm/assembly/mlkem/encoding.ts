/**
 * Polynomials as bytes (FIPS 203 section 4.2.1): ByteEncode and ByteDecode of 12 bits, and the compressed forms of
 * 10, 4 and 1 bits, eight coefficients at a time. Compression multiplies by a reciprocal instead of dividing by q, since
 * a divider's time tells its operands (KyberSlash); test/wasm/twins.test.ts goes through every coefficient.
 *
 * Encoders take any 16-bit representative. Where whole vectors are written or read, up to six bytes behind the
 * last one are touched too: they belong to the next part of the same key or ciphertext, which is written later.
 * Not for other parameter sets.
 */
import { POLY } from '../memory';
import { canonical, modulus, Q } from './arithmetic';

const HALF: i16 = 1665;

/** Algorithm 5 with d = 12: 384 bytes, and 4 more that the next part of a key overwrites. */
export function encode12(out: usize, poly: usize): void {
  const q = modulus();
  for (let at = poly; at < poly + POLY; at += 16) {
    const v = canonical(v128.load(at), q);
    const pairs = v128.or(v128.and(v, i32x4.splat(0xfff)), v128.and(i32x4.shr_u(v, 4), i32x4.splat(0xfff000)));
    v128.store(out, v128.shuffle<i8>(pairs, pairs, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 7, 11, 15));
    out += 12;
  }
}

/**
 * Algorithm 6 with d = 12, without its reduction.
 * @returns 0 when every coefficient was below q: FIPS 203 section 7.2's modulus check.
 */
export function decode12(poly: usize, bytes: usize): u32 {
  let above = i16x8.splat(0);
  for (let at = poly; at < poly + POLY; at += 16) {
    const v = v128.load(bytes);
    const words = v128.shuffle<i8>(v, v, 0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 10, 11);
    const even = v128.and(words, i32x4.splat(0xfff));
    const odd = v128.and(i16x8.shr_u(words, 4), i32x4.splat(0xffff0000));
    const decoded = v128.or(even, odd);
    above = v128.or(above, i16x8.gt_s(decoded, i16x8.splat(<i16>Q - 1)));
    v128.store(at, decoded);
    bytes += 12;
  }
  return <u32>v128.any_true(above);
}

/** Compress_10 of two coefficients in 64-bit lanes: round(2^10 x / q) mod 2^10. */
@inline
function compress10(product: v128): v128 {
  return v128.and(i64x2.shr_u(product, 32), i64x2.splat(0x3ff));
}

/** ByteEncode_10(Compress_10) of four coefficients in 32-bit lanes: 5 bytes, and 3 more. */
@inline
function packFour(out: usize, x: v128): void {
  const scaled = i32x4.add(i32x4.shl(x, 10), i32x4.splat(HALF));
  const reciprocal = i32x4.splat(1290167);
  const first = compress10(i64x2.extmul_low_i32x4_u(scaled, reciprocal));
  const second = compress10(i64x2.extmul_high_i32x4_u(scaled, reciprocal));
  const columns = v128.or(first, i64x2.shl(second, 20));
  store<u64>(out, i64x2.extract_lane(columns, 0) | (i64x2.extract_lane(columns, 1) << 10));
}

/** ByteEncode_10(Compress_10(poly)): 320 bytes. */
export function pack10(out: usize, poly: usize): void {
  const q = modulus();
  for (let at = poly; at < poly + POLY; at += 16) {
    const v = canonical(v128.load(at), q);
    packFour(out, i32x4.extend_low_i16x8_u(v));
    packFour(out + 5, i32x4.extend_high_i16x8_u(v));
    out += 10;
  }
}

/** Decompress_10(ByteDecode_10(bytes)): round(q y / 2^10), the rounding product of 2^5 y and q. */
export function unpack10(poly: usize, bytes: usize): void {
  const q = modulus();
  for (let at = poly; at < poly + POLY; at += 16) {
    const v = v128.load(bytes);
    const words = v128.shuffle<i8>(v, v, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 6, 7, 7, 8, 8, 9);
    const raised = i16x8.mul(words, i64x2.splat(0x0001000400100040)); // the ten bits of each to the top
    const scaled = v128.and(i16x8.shr_u(raised, 1), i16x8.splat(0x7fe0));
    v128.store(at, i16x8.q15mulr_sat_s(scaled, q));
    bytes += 10;
  }
}

/** Compress_4; the product may pass 2^32, which does no harm: only a multiple of 2^32 is lost. */
@inline
function compress4(x: v128): v128 {
  const scaled = i32x4.add(i32x4.shl(x, 4), i32x4.splat(HALF));
  return i32x4.shr_u(i32x4.mul(scaled, i32x4.splat(80635)), 28);
}

/** ByteEncode_4(Compress_4(poly)): 128 bytes. */
export function pack4(out: usize, poly: usize): void {
  const q = modulus();
  for (let at = poly; at < poly + POLY; at += 16) {
    const v = canonical(v128.load(at), q);
    const low = compress4(i32x4.extend_low_i16x8_u(v));
    const high = compress4(i32x4.extend_high_i16x8_u(v));
    const nibbles = i16x8.narrow_i32x4_u(low, high);
    const bytes = v128.or(nibbles, i32x4.shr_u(nibbles, 12));
    v128.store32_lane(out, v128.shuffle<i8>(bytes, bytes, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12), 0);
    out += 4;
  }
}

/** Decompress_4(ByteDecode_4(bytes)): round(q y / 2^4), the rounding product of 2^11 y and q. */
export function unpack4(poly: usize, bytes: usize): void {
  const q = modulus();
  for (let at = poly; at < poly + POLY; at += 32) {
    const v = v128.load_ext<u8>(bytes);
    const even = i16x8.q15mulr_sat_s(i16x8.shl(v128.and(v, i16x8.splat(15)), 11), q);
    const odd = i16x8.q15mulr_sat_s(i16x8.shl(i16x8.shr_u(v, 4), 11), q);
    v128.store(at, v128.shuffle<i16>(even, odd, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(at, v128.shuffle<i16>(even, odd, 4, 12, 5, 13, 6, 14, 7, 15), 16);
    bytes += 8;
  }
}

/** Decompress_1(ByteDecode_1(message)): 0 or 1665, chosen by a mask. */
export function messageToPoly(poly: usize, message: usize): void {
  const bits = i16x8(1, 2, 4, 8, 16, 32, 64, 128);
  for (let at = poly; at < poly + POLY; at += 16) {
    const set = i16x8.eq(v128.and(v128.load_splat<u8>(message), bits), bits);
    v128.store(at, v128.and(set, i16x8.splat(HALF)));
    message += 1;
  }
}

/** ByteEncode_1(Compress_1(poly)): 32 bytes. What is nearer to q / 2 than to 0 and q, 833 to 2496, is 1. */
export function polyToMessage(message: usize, poly: usize): void {
  const q = modulus();
  for (let at = poly; at < poly + POLY; at += 16) {
    const v = canonical(v128.load(at), q);
    const set = v128.and(i16x8.gt_s(v, i16x8.splat(832)), i16x8.lt_s(v, i16x8.splat(2497)));
    store<u8>(message, i16x8.bitmask(set));
    message += 1;
  }
}
