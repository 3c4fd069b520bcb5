/**
 * The field of 2^255 - 19 for X25519, two elements at a time: ten unsigned limbs of alternately 26 and 25 bits, the form
 * of Bernstein's paper (cr.yp.to/ecdh/curve25519-20060209.pdf section 4), each limb of both elements side by side in
 * 32-bit words: lane 0 | lane 1. Products are in field25519-products.ts and are summed in 64 bits.
 *
 * Bounds: what carryInto() leaves is below 2^26 (even limbs) and 2^25 + 2^17 (odd ones): "carried". A sum of two carried
 * elements is below twice, a difference, taken with 2p on top, below three times that; products take factors of up to
 * three: the largest sum of products is then below 2^62.2, and 19 times a limb below 2^32.
 * No branch and no address depends on a limb. This file, the products, the inverse and the lanes of the ladder (x25519.ts)
 * are what wide arithmetic would replace. Not for other fields.
 */
import { FIELD, FIELD_SIZE } from './memory';

/** Read from memory: an engine would rebuild constants at each use. */
const MASK_26: usize = memory.data<u64>([0x3ffffff, 0x3ffffff]);
const MASK_25: usize = memory.data<u64>([0x1ffffff, 0x1ffffff]);
/** 2p in limbs, both lanes: 2^27 - 38, then 2^26 - 2 and 2^27 - 2 in turn. */
const TWICE_P: usize = memory.data<u32>([
  0x7ffffda, 0x7ffffda, 0x3fffffe, 0x3fffffe, 0x7fffffe, 0x7fffffe, 0x3fffffe, 0x3fffffe, 0x7fffffe, 0x7fffffe,
  0x3fffffe, 0x3fffffe, 0x7fffffe, 0x7fffffe, 0x3fffffe, 0x3fffffe, 0x7fffffe, 0x7fffffe, 0x3fffffe, 0x3fffffe,
]);

/** The address of the n-th pair of elements of the scratch. */
@inline
export function pair(n: usize): usize {
  return FIELD + n * FIELD_SIZE;
}

/** Two limbs of both elements exchanged between the lanes. */
@inline
export function crossed(f: v128): v128 {
  return v128.shuffle<i32>(f, f, 1, 0, 3, 2);
}

/** f - g for the two limbs at byte `at` of their elements. */
@inline
export function difference(f: v128, g: v128, at: usize): v128 {
  return i32x4.sub(i32x4.add(f, v128.load(TWICE_P + at)), g);
}

/** What a limb of 64 bits has above its 26 or 25. */
@inline
function over26(h: v128): v128 {
  return i64x2.shr_u(h, 26);
}

@inline
function over25(h: v128): v128 {
  return i64x2.shr_u(h, 25);
}

/** The low words of two limbs. */
@inline
function put(out: usize, h: v128, next: v128): void {
  v128.store(out, v128.shuffle<i32>(h, next, 0, 2, 4, 6));
}

/** Brings the limbs of a product back to size and stores them: two chains of carries at once, as they do not meet. */
@inline
export function carryInto(
  out: usize, h0: v128, h1: v128, h2: v128, h3: v128, h4: v128, h5: v128, h6: v128, h7: v128, h8: v128, h9: v128,
): void {
  const m26 = v128.load(MASK_26);
  const m25 = v128.load(MASK_25);
  h1 = i64x2.add(h1, over26(h0));
  h5 = i64x2.add(h5, over26(h4));
  h2 = i64x2.add(h2, over25(h1));
  h6 = i64x2.add(h6, over25(h5));
  h3 = i64x2.add(h3, over26(h2));
  h7 = i64x2.add(h7, over26(h6));
  h4 = i64x2.add(v128.and(h4, m26), over25(h3));
  h8 = i64x2.add(h8, over25(h7));
  h5 = i64x2.add(v128.and(h5, m25), over26(h4));
  h9 = i64x2.add(h9, over26(h8));
  const around = over25(h9); // times 19 = 16 + 2 + 1
  h0 = i64x2.add(v128.and(h0, m26), i64x2.add(i64x2.add(i64x2.shl(around, 4), i64x2.shl(around, 1)), around));
  h1 = i64x2.add(v128.and(h1, m25), over26(h0));
  put(out, v128.and(h0, m26), h1);
  put(out + 16, v128.and(h2, m26), v128.and(h3, m25));
  put(out + 32, v128.and(h4, m26), h5);
  put(out + 48, v128.and(h6, m26), v128.and(h7, m25));
  put(out + 64, v128.and(h8, m26), v128.and(h9, m25));
}

/** Limb boundaries of the ten-limb form in bits: 0, 26, 51, 77, 102, 128, 153, 179, 204, 230. */
@inline
function bits(at: usize, from: usize, count: u64): u32 {
  const word = load<u64>(at + (from >> 3)) >> <u64>(from & 7);
  return <u32>(word & ((<u64>1 << count) - 1));
}

/** Lane 0 from bytes as of RFC 7748 section 5: little-endian, the top bit ignored, values of p and above as they are. */
export function decode(out: usize, bytes: usize): void {
  store<u32>(out, bits(bytes, 0, 26), 0);
  store<u32>(out, bits(bytes, 26, 25), 8);
  store<u32>(out, bits(bytes, 51, 26), 16);
  store<u32>(out, bits(bytes, 77, 25), 24);
  store<u32>(out, bits(bytes, 102, 26), 32);
  store<u32>(out, bits(bytes, 128, 25), 40);
  store<u32>(out, bits(bytes, 153, 26), 48);
  store<u32>(out, bits(bytes, 179, 25), 56);
  // Read from byte 24, not from 25 and 28: the last eight bytes are the last there are.
  const last = load<u64>(bytes, 24);
  store<u32>(out, <u32>((last >> 12) & 0x3ffffff), 64);
  store<u32>(out, <u32>((last >> 38) & 0x1ffffff), 72);
}

/** Lane 0, carried, as the unique value below p, little-endian. */
export function encode(out: usize, f: usize): void {
  let h0: u64 = load<u32>(f, 0);
  let h1: u64 = load<u32>(f, 8);
  let h2: u64 = load<u32>(f, 16);
  let h3: u64 = load<u32>(f, 24);
  let h4: u64 = load<u32>(f, 32);
  let h5: u64 = load<u32>(f, 40);
  let h6: u64 = load<u32>(f, 48);
  let h7: u64 = load<u32>(f, 56);
  let h8: u64 = load<u32>(f, 64);
  let h9: u64 = load<u32>(f, 72);
  // q = floor((h + 19) / 2^255), 1 when h is p or more, else 0. Then h - q * p = h + 19 q - 2^255 q.
  let q = (h0 + 19) >> 26;
  q = (h1 + q) >> 25;
  q = (h2 + q) >> 26;
  q = (h3 + q) >> 25;
  q = (h4 + q) >> 26;
  q = (h5 + q) >> 25;
  q = (h6 + q) >> 26;
  q = (h7 + q) >> 25;
  q = (h8 + q) >> 26;
  q = (h9 + q) >> 25;
  h0 += 19 * q;
  h1 += h0 >> 26;
  h0 &= 0x3ffffff;
  h2 += h1 >> 25;
  h1 &= 0x1ffffff;
  h3 += h2 >> 26;
  h2 &= 0x3ffffff;
  h4 += h3 >> 25;
  h3 &= 0x1ffffff;
  h5 += h4 >> 26;
  h4 &= 0x3ffffff;
  h6 += h5 >> 25;
  h5 &= 0x1ffffff;
  h7 += h6 >> 26;
  h6 &= 0x3ffffff;
  h8 += h7 >> 25;
  h7 &= 0x1ffffff;
  h9 += h8 >> 26;
  h8 &= 0x3ffffff;
  h9 &= 0x1ffffff; // what is above is q * 2^255
  store<u64>(out, h0 | (h1 << 26) | (h2 << 51), 0);
  store<u64>(out, (h2 >> 13) | (h3 << 13) | (h4 << 38), 8);
  store<u64>(out, h5 | (h6 << 25) | (h7 << 51), 16);
  store<u64>(out, (h7 >> 13) | (h8 << 12) | (h9 << 38), 24);
}
