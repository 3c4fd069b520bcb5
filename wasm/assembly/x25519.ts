/**
 * X25519 (RFC 7748 section 5): the Montgomery ladder, every step the same whatever the scalar's bit, on two lanes: nine
 * products of a step, of which two and two are independent, take five of the field's.
 * The result of a low-order point is 32 zero bytes, as section 6.1 has it; the handshake refuses that.
 *
 * Not for signatures, and not for points of the Edwards form.
 */
import { crossed, decode, difference, encode, pair } from './field25519';
import { invert } from './field25519-inverse';
import { multiply, square } from './field25519-products';
import { FIELD, FIELD_COUNT, FIELD_SIZE, POINT, SCALAR, SHARED } from './memory';

/** (486662 - 2) / 4, section 5. */
const A24: u32 = 121665;

// The pairs, lane 0 | lane 1, with the names of section 5.
const X2_Z2: usize = 0;
/** Lane 0: (DA - CB)^2. */
const SQUARE_X3: usize = 1;
/** Lane 1: a24 * E. */
const Z3_SCALED: usize = 2;
const X1_A24: usize = 3;
const A_C: usize = 4;
const D_B: usize = 5;
const A_B: usize = 6;
const AA_BB: usize = 7;
const DA_CB: usize = 8;
/** DA - CB | DA + CB. */
const MIXED: usize = 9;
const AA_E: usize = 10;
const FACTOR: usize = 11;

/** SHARED = X25519(SCALAR, POINT). SCALAR and all intermediate values are wiped. */
export function x25519(): void {
  clamp();
  decode(pair(X1_A24), POINT);
  store<u32>(pair(X1_A24) + 4, A24);
  // (x2 : z2) = (1 : 0), (x3 : z3) = (x1 : 1)
  store<u32>(pair(X2_Z2), 1);
  for (let i: usize = 0; i < FIELD_SIZE; i += 8) store<u32>(pair(SQUARE_X3) + i + 4, load<u32>(pair(X1_A24) + i));
  store<u32>(pair(Z3_SCALED), 1);
  let before: u32 = 0;
  for (let t: i32 = 254; t >= 0; t--) {
    const bit = <u32>(load<u8>(SCALAR + <usize>(t >> 3)) >> <u8>(t & 7)) & 1;
    step(before ^ bit);
    before = bit;
  }
  // The lowest bits of a clamped scalar are zero: nothing is left to exchange.
  const inverse = pair(FACTOR);
  invert(inverse, pair(X2_Z2));
  for (let at: usize = 0; at < FIELD_SIZE; at += 16) v128.store(inverse + at, crossed(v128.load(inverse + at)));
  multiply(inverse, pair(X2_Z2), inverse); // x2 / z2 in lane 0
  encode(SHARED, inverse);
  memory.fill(FIELD, 0, FIELD_SIZE * FIELD_COUNT);
  memory.fill(SCALAR, 0, 32);
}

/** decodeScalar25519 of section 5. */
function clamp(): void {
  store<u8>(SCALAR, load<u8>(SCALAR) & 248);
  store<u8>(SCALAR, (load<u8>(SCALAR, 31) & 127) | 64, 31);
}

/** One turn of the ladder, which begins by exchanging the two points when `swap` is 1. */
function step(swap: u32): void {
  sums(i32x4.splat(-(<i32>swap)));
  multiply(pair(DA_CB), pair(A_C), pair(D_B));
  square(pair(AA_BB), pair(A_B));
  for (let at: usize = 0; at < FIELD_SIZE; at += 16) {
    const products = v128.load(pair(DA_CB) + at);
    const other = crossed(products);
    const mixed = v128.shuffle<i32>(difference(products, other, at), i32x4.add(products, other), 0, 5, 2, 7);
    v128.store(pair(MIXED) + at, mixed);
    const squares = v128.load(pair(AA_BB) + at);
    const e = difference(squares, crossed(squares), at);
    v128.store(pair(AA_E) + at, v128.shuffle<i32>(squares, e, 0, 4, 2, 6));
  }
  square(pair(SQUARE_X3), pair(MIXED)); // (DA - CB)^2 | x3
  for (let at: usize = 0; at < FIELD_SIZE; at += 16) {
    const squares = v128.load(pair(SQUARE_X3) + at);
    v128.store(pair(FACTOR) + at, v128.shuffle<i32>(squares, v128.load(pair(AA_E) + at), 0, 5, 2, 7));
  }
  multiply(pair(Z3_SCALED), pair(FACTOR), pair(X1_A24)); // z3 = x1 (DA - CB)^2 | a24 E
  const lane1 = i64x2.splat(0xffffffff00000000);
  for (let at: usize = 0; at < FIELD_SIZE; at += 16) {
    const scaled = v128.and(v128.load(pair(Z3_SCALED) + at), lane1);
    v128.store(pair(FACTOR) + at, i32x4.add(crossed(v128.load(pair(AA_BB) + at)), scaled)); // BB | AA + a24 E
  }
  multiply(pair(X2_Z2), pair(AA_E), pair(FACTOR)); // x2 = AA BB | z2 = E (AA + a24 E)
}

/** A = x2 + z2, B = x2 - z2, C = x3 + z3, D = x3 - z3, of points that are exchanged when `swap` is all ones. */
@inline
function sums(swap: v128): void {
  for (let at: usize = 0; at < FIELD_SIZE; at += 16) {
    const point2 = v128.load(pair(X2_Z2) + at);
    const x = exchanged(v128.shuffle<i32>(point2, v128.load(pair(SQUARE_X3) + at), 0, 5, 2, 7), swap);
    const z = exchanged(v128.shuffle<i32>(point2, v128.load(pair(Z3_SCALED) + at), 1, 4, 3, 6), swap);
    const sum = i32x4.add(x, z);
    const less = difference(x, z, at);
    v128.store(pair(A_C) + at, sum);
    v128.store(pair(D_B) + at, crossed(less));
    v128.store(pair(A_B) + at, v128.shuffle<i32>(sum, less, 0, 4, 2, 6));
  }
}

/** The two lanes exchanged or not, with the same work in both cases. */
@inline
function exchanged(f: v128, swap: v128): v128 {
  return v128.xor(f, v128.and(v128.xor(f, crossed(f)), swap));
}
