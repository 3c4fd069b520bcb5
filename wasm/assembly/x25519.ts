/**
 * X25519 (RFC 7748 section 5): the Montgomery ladder, every step the same whatever the scalar's bit.
 * The result of a low-order point is 32 zero bytes, as section 6.1 has it; the handshake refuses that.
 *
 * Not for signatures, and not for points of the Edwards form.
 */
import { add, assign, decode, element, encode, exchange, invert, multiply, multiplySmall, setSmall, square, subtract } from './field25519';
import { FIELD, FIELD_COUNT, FIELD_SIZE, POINT, SCALAR, SHARED } from './memory';

/** (486662 - 2) / 4, section 5. */
const A24: i64 = 121665;

/** SHARED = X25519(SCALAR, POINT). SCALAR and all intermediate values are wiped. */
export function x25519(): void {
  clamp();
  const x1 = element(0);
  const x2 = element(1);
  const z2 = element(2);
  const x3 = element(3);
  const z3 = element(4);
  decode(x1, POINT);
  setSmall(x2, 1);
  setSmall(z2, 0);
  assign(x3, x1);
  setSmall(z3, 1);
  let swap: u32 = 0;
  for (let t: i32 = 254; t >= 0; t--) {
    const bit = (load<u8>(SCALAR + <usize>(t >> 3)) >> <u8>(t & 7)) & 1;
    swap ^= bit;
    exchange(x2, x3, swap);
    exchange(z2, z3, swap);
    swap = bit;
    step(x1, x2, z2, x3, z3);
  }
  exchange(x2, x3, swap);
  exchange(z2, z3, swap);
  invert(z2, z2);
  multiply(x2, x2, z2);
  encode(SHARED, x2);
  memory.fill(FIELD, 0, FIELD_SIZE * FIELD_COUNT);
  memory.fill(SCALAR, 0, 32);
}

/** decodeScalar25519 of section 5. */
function clamp(): void {
  store<u8>(SCALAR, load<u8>(SCALAR) & 248);
  store<u8>(SCALAR, (load<u8>(SCALAR, 31) & 127) | 64, 31);
}

/** One turn of the ladder, section 5, with its names. */
function step(x1: usize, x2: usize, z2: usize, x3: usize, z3: usize): void {
  const a = element(5);
  const b = element(6);
  const c = element(7);
  const d = element(8);
  const aa = element(9);
  const bb = element(10);
  const e = element(11);
  add(a, x2, z2);
  subtract(b, x2, z2);
  add(c, x3, z3);
  subtract(d, x3, z3);
  multiply(d, d, a); // DA
  multiply(c, c, b); // CB
  square(aa, a);
  square(bb, b);
  add(x3, d, c);
  square(x3, x3);
  subtract(z3, d, c);
  square(z3, z3);
  multiply(z3, x1, z3);
  multiply(x2, aa, bb);
  subtract(e, aa, bb);
  multiplySmall(z2, e, A24);
  add(z2, aa, z2);
  multiply(z2, e, z2);
}
