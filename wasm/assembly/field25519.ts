/**
 * The field of 2^255 - 19 for X25519: ten signed limbs of alternately 26 and 25 bits in 32-bit words, the form of
 * Bernstein's paper (cr.yp.to/ecdh/curve25519-20060209.pdf section 4). Products are summed in 64 bits.
 *
 * Bounds: what carry() leaves is below 1.01 * 2^25 (even limbs) or 2^24 (odd ones) in size; multiply() and square()
 * take up to 1.65 times twice that, so one addition or subtraction may stand between two of them, never two.
 * No branch and no address depends on a limb. Not for other fields.
 */
import { FIELD, FIELD_SIZE } from './memory';

/** The address of the n-th field element of the scratch. */
@inline
export function element(n: usize): usize {
  return FIELD + n * FIELD_SIZE;
}

/** Brings the limbs of a product back to size and stores them. */
@inline
function carryInto(out: usize, h0: i64, h1: i64, h2: i64, h3: i64, h4: i64, h5: i64, h6: i64, h7: i64, h8: i64, h9: i64): void {
  let carry = (h0 + (1 << 25)) >> 26;
  h1 += carry;
  h0 -= carry << 26;
  carry = (h4 + (1 << 25)) >> 26;
  h5 += carry;
  h4 -= carry << 26;
  carry = (h1 + (1 << 24)) >> 25;
  h2 += carry;
  h1 -= carry << 25;
  carry = (h5 + (1 << 24)) >> 25;
  h6 += carry;
  h5 -= carry << 25;
  carry = (h2 + (1 << 25)) >> 26;
  h3 += carry;
  h2 -= carry << 26;
  carry = (h6 + (1 << 25)) >> 26;
  h7 += carry;
  h6 -= carry << 26;
  carry = (h3 + (1 << 24)) >> 25;
  h4 += carry;
  h3 -= carry << 25;
  carry = (h7 + (1 << 24)) >> 25;
  h8 += carry;
  h7 -= carry << 25;
  carry = (h4 + (1 << 25)) >> 26;
  h5 += carry;
  h4 -= carry << 26;
  carry = (h8 + (1 << 25)) >> 26;
  h9 += carry;
  h8 -= carry << 26;
  carry = (h9 + (1 << 24)) >> 25;
  h0 += carry * 19;
  h9 -= carry << 25;
  carry = (h0 + (1 << 25)) >> 26;
  h1 += carry;
  h0 -= carry << 26;
  store<i32>(out, <i32>h0, 0);
  store<i32>(out, <i32>h1, 4);
  store<i32>(out, <i32>h2, 8);
  store<i32>(out, <i32>h3, 12);
  store<i32>(out, <i32>h4, 16);
  store<i32>(out, <i32>h5, 20);
  store<i32>(out, <i32>h6, 24);
  store<i32>(out, <i32>h7, 28);
  store<i32>(out, <i32>h8, 32);
  store<i32>(out, <i32>h9, 36);
}

/** out = f * g. The suffixes: d doubled, n times nineteen. */
export function multiply(out: usize, f: usize, g: usize): void {
  const f0: i64 = load<i32>(f, 0);
  const f1: i64 = load<i32>(f, 4);
  const f2: i64 = load<i32>(f, 8);
  const f3: i64 = load<i32>(f, 12);
  const f4: i64 = load<i32>(f, 16);
  const f5: i64 = load<i32>(f, 20);
  const f6: i64 = load<i32>(f, 24);
  const f7: i64 = load<i32>(f, 28);
  const f8: i64 = load<i32>(f, 32);
  const f9: i64 = load<i32>(f, 36);
  const g0: i64 = load<i32>(g, 0);
  const g1: i64 = load<i32>(g, 4);
  const g2: i64 = load<i32>(g, 8);
  const g3: i64 = load<i32>(g, 12);
  const g4: i64 = load<i32>(g, 16);
  const g5: i64 = load<i32>(g, 20);
  const g6: i64 = load<i32>(g, 24);
  const g7: i64 = load<i32>(g, 28);
  const g8: i64 = load<i32>(g, 32);
  const g9: i64 = load<i32>(g, 36);
  const f1d = f1 * 2;
  const f3d = f3 * 2;
  const f5d = f5 * 2;
  const f7d = f7 * 2;
  const f9d = f9 * 2;
  const g1n = g1 * 19;
  const g2n = g2 * 19;
  const g3n = g3 * 19;
  const g4n = g4 * 19;
  const g5n = g5 * 19;
  const g6n = g6 * 19;
  const g7n = g7 * 19;
  const g8n = g8 * 19;
  const g9n = g9 * 19;
  // 2^255 = 19: a product of limbs i and j with i + j > 9 comes back times 19; two odd limbs make it twice as much.
  const h0 = f0 * g0 + f1d * g9n + f2 * g8n + f3d * g7n + f4 * g6n + f5d * g5n + f6 * g4n + f7d * g3n + f8 * g2n + f9d * g1n;
  const h1 = f0 * g1 + f1 * g0 + f2 * g9n + f3 * g8n + f4 * g7n + f5 * g6n + f6 * g5n + f7 * g4n + f8 * g3n + f9 * g2n;
  const h2 = f0 * g2 + f1d * g1 + f2 * g0 + f3d * g9n + f4 * g8n + f5d * g7n + f6 * g6n + f7d * g5n + f8 * g4n + f9d * g3n;
  const h3 = f0 * g3 + f1 * g2 + f2 * g1 + f3 * g0 + f4 * g9n + f5 * g8n + f6 * g7n + f7 * g6n + f8 * g5n + f9 * g4n;
  const h4 = f0 * g4 + f1d * g3 + f2 * g2 + f3d * g1 + f4 * g0 + f5d * g9n + f6 * g8n + f7d * g7n + f8 * g6n + f9d * g5n;
  const h5 = f0 * g5 + f1 * g4 + f2 * g3 + f3 * g2 + f4 * g1 + f5 * g0 + f6 * g9n + f7 * g8n + f8 * g7n + f9 * g6n;
  const h6 = f0 * g6 + f1d * g5 + f2 * g4 + f3d * g3 + f4 * g2 + f5d * g1 + f6 * g0 + f7d * g9n + f8 * g8n + f9d * g7n;
  const h7 = f0 * g7 + f1 * g6 + f2 * g5 + f3 * g4 + f4 * g3 + f5 * g2 + f6 * g1 + f7 * g0 + f8 * g9n + f9 * g8n;
  const h8 = f0 * g8 + f1d * g7 + f2 * g6 + f3d * g5 + f4 * g4 + f5d * g3 + f6 * g2 + f7d * g1 + f8 * g0 + f9d * g9n;
  const h9 = f0 * g9 + f1 * g8 + f2 * g7 + f3 * g6 + f4 * g5 + f5 * g4 + f6 * g3 + f7 * g2 + f8 * g1 + f9 * g0;
  carryInto(out, h0, h1, h2, h3, h4, h5, h6, h7, h8, h9);
}

/** out = f * f. The suffixes: d doubled, n times 19, w times 38. */
export function square(out: usize, f: usize): void {
  const f0: i64 = load<i32>(f, 0);
  const f1: i64 = load<i32>(f, 4);
  const f2: i64 = load<i32>(f, 8);
  const f3: i64 = load<i32>(f, 12);
  const f4: i64 = load<i32>(f, 16);
  const f5: i64 = load<i32>(f, 20);
  const f6: i64 = load<i32>(f, 24);
  const f7: i64 = load<i32>(f, 28);
  const f8: i64 = load<i32>(f, 32);
  const f9: i64 = load<i32>(f, 36);
  const f0d = f0 * 2;
  const f1d = f1 * 2;
  const f2d = f2 * 2;
  const f3d = f3 * 2;
  const f4d = f4 * 2;
  const f5d = f5 * 2;
  const f5n = f5 * 19;
  const f6d = f6 * 2;
  const f6n = f6 * 19;
  const f7d = f7 * 2;
  const f7n = f7 * 19;
  const f7w = f7 * 38;
  const f8d = f8 * 2;
  const f8n = f8 * 19;
  const f9d = f9 * 2;
  const f9n = f9 * 19;
  const f9w = f9 * 38;
  const h0 = f0 * f0 + f1d * f9w + f2d * f8n + f3d * f7w + f4d * f6n + f5d * f5n;
  const h1 = f0d * f1 + f2d * f9n + f3d * f8n + f4d * f7n + f5d * f6n;
  const h2 = f0d * f2 + f1d * f1 + f3d * f9w + f4d * f8n + f5d * f7w + f6 * f6n;
  const h3 = f0d * f3 + f1d * f2 + f4d * f9n + f5d * f8n + f6d * f7n;
  const h4 = f0d * f4 + f1d * f3d + f2 * f2 + f5d * f9w + f6d * f8n + f7d * f7n;
  const h5 = f0d * f5 + f1d * f4 + f2d * f3 + f6d * f9n + f7d * f8n;
  const h6 = f0d * f6 + f1d * f5d + f2d * f4 + f3d * f3 + f7d * f9w + f8 * f8n;
  const h7 = f0d * f7 + f1d * f6 + f2d * f5 + f3d * f4 + f8d * f9n;
  const h8 = f0d * f8 + f1d * f7d + f2d * f6 + f3d * f5d + f4 * f4 + f9d * f9n;
  const h9 = f0d * f9 + f1d * f8 + f2d * f7 + f3d * f6 + f4d * f5;
  carryInto(out, h0, h1, h2, h3, h4, h5, h6, h7, h8, h9);
}

/** out = f * small, for a constant of at most 17 bits. */
export function multiplySmall(out: usize, f: usize, small: i64): void {
  const f0: i64 = load<i32>(f, 0);
  const f1: i64 = load<i32>(f, 4);
  const f2: i64 = load<i32>(f, 8);
  const f3: i64 = load<i32>(f, 12);
  const f4: i64 = load<i32>(f, 16);
  const f5: i64 = load<i32>(f, 20);
  const f6: i64 = load<i32>(f, 24);
  const f7: i64 = load<i32>(f, 28);
  const f8: i64 = load<i32>(f, 32);
  const f9: i64 = load<i32>(f, 36);
  carryInto(out, f0 * small, f1 * small, f2 * small, f3 * small, f4 * small, f5 * small, f6 * small, f7 * small, f8 * small, f9 * small);
}

export function add(out: usize, f: usize, g: usize): void {
  for (let i: usize = 0; i < 40; i += 4) store<i32>(out + i, load<i32>(f + i) + load<i32>(g + i));
}

export function subtract(out: usize, f: usize, g: usize): void {
  for (let i: usize = 0; i < 40; i += 4) store<i32>(out + i, load<i32>(f + i) - load<i32>(g + i));
}

export function assign(out: usize, f: usize): void {
  memory.copy(out, f, 40);
}

export function setSmall(out: usize, small: i32): void {
  memory.fill(out, 0, 40);
  store<i32>(out, small);
}

/** Exchanges f and g when `swap` is 1, leaves them when it is 0, with the same work in both cases. */
export function exchange(f: usize, g: usize, swap: u32): void {
  const mask = i32x4.splat(-(<i32>swap));
  for (let i: usize = 0; i < 48; i += 16) {
    const a = v128.load(f + i);
    const b = v128.load(g + i);
    const flip = v128.and(v128.xor(a, b), mask);
    v128.store(f + i, v128.xor(a, flip));
    v128.store(g + i, v128.xor(b, flip));
  }
}

/** out = f^(2^times). */
function squareTimes(out: usize, f: usize, times: i32): void {
  square(out, f);
  for (let i = 1; i < times; i++) square(out, out);
}

/** out = f^(p-2), the inverse, and 0 for 0. The usual chain of 254 squarings; uses elements 12 to 15. */
export function invert(out: usize, f: usize): void {
  const t0 = element(12);
  const t1 = element(13);
  const t2 = element(14);
  const t3 = element(15);
  square(t0, f); // 2
  squareTimes(t1, t0, 2); // 8
  multiply(t1, f, t1); // 9
  multiply(t0, t0, t1); // 11
  square(t2, t0); // 22
  multiply(t1, t1, t2); // 2^5 - 1
  squareTimes(t2, t1, 5);
  multiply(t1, t2, t1); // 2^10 - 1
  squareTimes(t2, t1, 10);
  multiply(t2, t2, t1); // 2^20 - 1
  squareTimes(t3, t2, 20);
  multiply(t2, t3, t2); // 2^40 - 1
  squareTimes(t2, t2, 10);
  multiply(t1, t2, t1); // 2^50 - 1
  squareTimes(t2, t1, 50);
  multiply(t2, t2, t1); // 2^100 - 1
  squareTimes(t3, t2, 100);
  multiply(t2, t3, t2); // 2^200 - 1
  squareTimes(t2, t2, 50);
  multiply(t1, t2, t1); // 2^250 - 1
  squareTimes(t1, t1, 5);
  multiply(out, t1, t0); // 2^255 - 21
}

/** Limb boundaries of the ten-limb form in bits: 0, 26, 51, 77, 102, 128, 153, 179, 204, 230. */
@inline
function bits(at: usize, from: usize, count: u64): i32 {
  const word = load<u64>(at + (from >> 3)) >> <u64>(from & 7);
  return <i32>(word & ((<u64>1 << count) - 1));
}

/** RFC 7748 section 5: little-endian, the top bit ignored, values of p and above taken as they are. */
export function decode(out: usize, bytes: usize): void {
  store<i32>(out, bits(bytes, 0, 26), 0);
  store<i32>(out, bits(bytes, 26, 25), 4);
  store<i32>(out, bits(bytes, 51, 26), 8);
  store<i32>(out, bits(bytes, 77, 25), 12);
  store<i32>(out, bits(bytes, 102, 26), 16);
  store<i32>(out, bits(bytes, 128, 25), 20);
  store<i32>(out, bits(bytes, 153, 26), 24);
  store<i32>(out, bits(bytes, 179, 25), 28);
  // Read from byte 24, not from 25 and 28: the last eight bytes are the last there are.
  const last = load<u64>(bytes, 24);
  store<i32>(out, <i32>((last >> 12) & 0x3ffffff), 32);
  store<i32>(out, <i32>((last >> 38) & 0x1ffffff), 36);
}

/** The unique value below p, little-endian. */
export function encode(out: usize, f: usize): void {
  let h0: i64 = load<i32>(f, 0);
  let h1: i64 = load<i32>(f, 4);
  let h2: i64 = load<i32>(f, 8);
  let h3: i64 = load<i32>(f, 12);
  let h4: i64 = load<i32>(f, 16);
  let h5: i64 = load<i32>(f, 20);
  let h6: i64 = load<i32>(f, 24);
  let h7: i64 = load<i32>(f, 28);
  let h8: i64 = load<i32>(f, 32);
  let h9: i64 = load<i32>(f, 36);
  // q = floor(h / p), found by carrying h + 19 through: 0, 1 or -1. Then h - q * p = h + 19 q - 2^255 q.
  let q = (19 * h9 + (1 << 24)) >> 25;
  q = (h0 + q) >> 26;
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
