/**
 * Products in the field of 2^255 - 19, two at a time (cr.yp.to/ecdh/curve25519-20060209.pdf section 4; shapes and bounds in
 * field25519.ts). Made by wasm/generators/field25519-products.ts: change that one.
 *
 * Not for other fields.
 */
import { carryInto } from './field25519';

/** Read from memory: an engine would rebuild constants at each use. */
const TIMES_19: usize = memory.data<u32>([19, 19, 19, 19]);
const TIMES_38: usize = memory.data<u32>([38, 38, 38, 38]);

@inline
function mul(a: v128, b: v128): v128 {
  return i64x2.extmul_low_i32x4_u(a, b);
}

@inline
function add(a: v128, b: v128): v128 {
  return i64x2.add(a, b);
}

/** out = f * g in both lanes. */
export function multiply(out: usize, f: usize, g: usize): void {
  const n19 = v128.load(TIMES_19);
  const f0 = v128.load64_zero(f, 0);
  const f1 = v128.load64_zero(f, 8);
  const f2 = v128.load64_zero(f, 16);
  const f3 = v128.load64_zero(f, 24);
  const f4 = v128.load64_zero(f, 32);
  const f5 = v128.load64_zero(f, 40);
  const f6 = v128.load64_zero(f, 48);
  const f7 = v128.load64_zero(f, 56);
  const f8 = v128.load64_zero(f, 64);
  const f9 = v128.load64_zero(f, 72);
  const g0 = v128.load64_zero(g, 0);
  const g1 = v128.load64_zero(g, 8);
  const g2 = v128.load64_zero(g, 16);
  const g3 = v128.load64_zero(g, 24);
  const g4 = v128.load64_zero(g, 32);
  const g5 = v128.load64_zero(g, 40);
  const g6 = v128.load64_zero(g, 48);
  const g7 = v128.load64_zero(g, 56);
  const g8 = v128.load64_zero(g, 64);
  const g9 = v128.load64_zero(g, 72);
  const f1x2 = i32x4.shl(f1, 1);
  const f3x2 = i32x4.shl(f3, 1);
  const f5x2 = i32x4.shl(f5, 1);
  const f7x2 = i32x4.shl(f7, 1);
  const f9x2 = i32x4.shl(f9, 1);
  const g1x19 = i32x4.mul(g1, n19);
  const g2x19 = i32x4.mul(g2, n19);
  const g3x19 = i32x4.mul(g3, n19);
  const g4x19 = i32x4.mul(g4, n19);
  const g5x19 = i32x4.mul(g5, n19);
  const g6x19 = i32x4.mul(g6, n19);
  const g7x19 = i32x4.mul(g7, n19);
  const g8x19 = i32x4.mul(g8, n19);
  const g9x19 = i32x4.mul(g9, n19);
  const h0 = add(add(add(add(add(add(add(add(add(mul(f0, g0), mul(f1x2, g9x19)), mul(f2, g8x19)), mul(f3x2, g7x19)), mul(f4, g6x19)), mul(f5x2, g5x19)), mul(f6, g4x19)), mul(f7x2, g3x19)), mul(f8, g2x19)), mul(f9x2, g1x19));
  const h1 = add(add(add(add(add(add(add(add(add(mul(f0, g1), mul(f1, g0)), mul(f2, g9x19)), mul(f3, g8x19)), mul(f4, g7x19)), mul(f5, g6x19)), mul(f6, g5x19)), mul(f7, g4x19)), mul(f8, g3x19)), mul(f9, g2x19));
  const h2 = add(add(add(add(add(add(add(add(add(mul(f0, g2), mul(f1x2, g1)), mul(f2, g0)), mul(f3x2, g9x19)), mul(f4, g8x19)), mul(f5x2, g7x19)), mul(f6, g6x19)), mul(f7x2, g5x19)), mul(f8, g4x19)), mul(f9x2, g3x19));
  const h3 = add(add(add(add(add(add(add(add(add(mul(f0, g3), mul(f1, g2)), mul(f2, g1)), mul(f3, g0)), mul(f4, g9x19)), mul(f5, g8x19)), mul(f6, g7x19)), mul(f7, g6x19)), mul(f8, g5x19)), mul(f9, g4x19));
  const h4 = add(add(add(add(add(add(add(add(add(mul(f0, g4), mul(f1x2, g3)), mul(f2, g2)), mul(f3x2, g1)), mul(f4, g0)), mul(f5x2, g9x19)), mul(f6, g8x19)), mul(f7x2, g7x19)), mul(f8, g6x19)), mul(f9x2, g5x19));
  const h5 = add(add(add(add(add(add(add(add(add(mul(f0, g5), mul(f1, g4)), mul(f2, g3)), mul(f3, g2)), mul(f4, g1)), mul(f5, g0)), mul(f6, g9x19)), mul(f7, g8x19)), mul(f8, g7x19)), mul(f9, g6x19));
  const h6 = add(add(add(add(add(add(add(add(add(mul(f0, g6), mul(f1x2, g5)), mul(f2, g4)), mul(f3x2, g3)), mul(f4, g2)), mul(f5x2, g1)), mul(f6, g0)), mul(f7x2, g9x19)), mul(f8, g8x19)), mul(f9x2, g7x19));
  const h7 = add(add(add(add(add(add(add(add(add(mul(f0, g7), mul(f1, g6)), mul(f2, g5)), mul(f3, g4)), mul(f4, g3)), mul(f5, g2)), mul(f6, g1)), mul(f7, g0)), mul(f8, g9x19)), mul(f9, g8x19));
  const h8 = add(add(add(add(add(add(add(add(add(mul(f0, g8), mul(f1x2, g7)), mul(f2, g6)), mul(f3x2, g5)), mul(f4, g4)), mul(f5x2, g3)), mul(f6, g2)), mul(f7x2, g1)), mul(f8, g0)), mul(f9x2, g9x19));
  const h9 = add(add(add(add(add(add(add(add(add(mul(f0, g9), mul(f1, g8)), mul(f2, g7)), mul(f3, g6)), mul(f4, g5)), mul(f5, g4)), mul(f6, g3)), mul(f7, g2)), mul(f8, g1)), mul(f9, g0));
  carryInto(out, h0, h1, h2, h3, h4, h5, h6, h7, h8, h9);
}

/** out = f * f in both lanes. */
export function square(out: usize, f: usize): void {
  const n19 = v128.load(TIMES_19);
  const n38 = v128.load(TIMES_38);
  const f0 = v128.load64_zero(f, 0);
  const f1 = v128.load64_zero(f, 8);
  const f2 = v128.load64_zero(f, 16);
  const f3 = v128.load64_zero(f, 24);
  const f4 = v128.load64_zero(f, 32);
  const f5 = v128.load64_zero(f, 40);
  const f6 = v128.load64_zero(f, 48);
  const f7 = v128.load64_zero(f, 56);
  const f8 = v128.load64_zero(f, 64);
  const f9 = v128.load64_zero(f, 72);
  const f0x2 = i32x4.shl(f0, 1);
  const f1x2 = i32x4.shl(f1, 1);
  const f2x2 = i32x4.shl(f2, 1);
  const f3x2 = i32x4.shl(f3, 1);
  const f4x2 = i32x4.shl(f4, 1);
  const f5x2 = i32x4.shl(f5, 1);
  const f5x38 = i32x4.mul(f5, n38);
  const f6x19 = i32x4.mul(f6, n19);
  const f6x2 = i32x4.shl(f6, 1);
  const f7x19 = i32x4.mul(f7, n19);
  const f7x2 = i32x4.shl(f7, 1);
  const f7x38 = i32x4.mul(f7, n38);
  const f8x19 = i32x4.mul(f8, n19);
  const f8x2 = i32x4.shl(f8, 1);
  const f9x19 = i32x4.mul(f9, n19);
  const f9x38 = i32x4.mul(f9, n38);
  const h0 = add(add(add(add(add(mul(f0, f0), mul(f1x2, f9x38)), mul(f2x2, f8x19)), mul(f3x2, f7x38)), mul(f4x2, f6x19)), mul(f5, f5x38));
  const h1 = add(add(add(add(mul(f0x2, f1), mul(f2x2, f9x19)), mul(f3x2, f8x19)), mul(f4x2, f7x19)), mul(f5x2, f6x19));
  const h2 = add(add(add(add(add(mul(f0x2, f2), mul(f1, f1x2)), mul(f3x2, f9x38)), mul(f4x2, f8x19)), mul(f5x2, f7x38)), mul(f6, f6x19));
  const h3 = add(add(add(add(mul(f0x2, f3), mul(f1x2, f2)), mul(f4x2, f9x19)), mul(f5x2, f8x19)), mul(f6x2, f7x19));
  const h4 = add(add(add(add(add(mul(f0x2, f4), mul(f1x2, f3x2)), mul(f2, f2)), mul(f5x2, f9x38)), mul(f6x2, f8x19)), mul(f7, f7x38));
  const h5 = add(add(add(add(mul(f0x2, f5), mul(f1x2, f4)), mul(f2x2, f3)), mul(f6x2, f9x19)), mul(f7x2, f8x19));
  const h6 = add(add(add(add(add(mul(f0x2, f6), mul(f1x2, f5x2)), mul(f2x2, f4)), mul(f3, f3x2)), mul(f7x2, f9x38)), mul(f8, f8x19));
  const h7 = add(add(add(add(mul(f0x2, f7), mul(f1x2, f6)), mul(f2x2, f5)), mul(f3x2, f4)), mul(f8x2, f9x19));
  const h8 = add(add(add(add(add(mul(f0x2, f8), mul(f1x2, f7x2)), mul(f2x2, f6)), mul(f3x2, f5x2)), mul(f4, f4)), mul(f9, f9x38));
  const h9 = add(add(add(add(mul(f0x2, f9), mul(f1x2, f8)), mul(f2x2, f7)), mul(f3x2, f6)), mul(f4x2, f5));
  carryInto(out, h0, h1, h2, h3, h4, h5, h6, h7, h8, h9);
}
