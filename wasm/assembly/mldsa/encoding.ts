/**
 * Polynomials and hints as bytes (FIPS 204 section 7.1, algorithms 16 to 21) for ML-DSA-65. A polynomial is packed at one
 * width of bits; a signed one is mirrored first, its coefficients x becoming b - x, as the specification has it.
 *
 * Not for values that do not fit their width: the caller knows them to.
 */
import { DSA_HINT, DSA_POLY } from '../memory';

/** Bits of a coefficient of t1, of w1, and of z and y. */
export const T1_BITS: u32 = 10;
export const W1_BITS: u32 = 4;
export const MASK_BITS: u32 = 20;
/** omega: at most so many hints are set. */
export const OMEGA: usize = 55;
const ROWS: usize = 6;

/** Algorithms 16 and 17 behind mirror(): 32 * `bits` bytes. */
export function pack(out: usize, poly: usize, bits: u32): void {
  let held: u64 = 0;
  let count: u32 = 0;
  for (let at = poly; at < poly + DSA_POLY; at += 4) {
    held |= <u64>load<u32>(at) << count;
    count += bits;
    for (; count >= 8; count -= 8) {
      store<u8>(out++, <u8>held);
      held >>= 8;
    }
  }
}

/** Algorithms 18 and 19 before mirror(). */
export function unpack(poly: usize, bytes: usize, bits: u32): void {
  const mask = (<u64>1 << bits) - 1;
  let held: u64 = 0;
  let count: u32 = 0;
  for (let at = poly; at < poly + DSA_POLY; at += 4) {
    for (; count < bits; count += 8) held |= <u64>load<u8>(bytes++) << count;
    store<i32>(at, <i32>(held & mask));
    held >>= bits;
    count -= bits;
  }
}

/** x becomes b - x. */
export function mirror(poly: usize, b: i32): void {
  for (let at = poly; at < poly + DSA_POLY; at += 4) store<i32>(at, b - load<i32>(at));
}

/** Algorithm 20: 61 bytes from the zeros and ones at DSA_HINT, at most omega of them ones. */
export function packHint(out: usize): void {
  memory.fill(out, 0, OMEGA + ROWS);
  let index: usize = 0;
  for (let row: usize = 0; row < ROWS; row++) {
    const poly = DSA_HINT + row * DSA_POLY;
    for (let i: usize = 0; i < 256; i++) {
      if (load<i32>(poly + (i << 2)) != 0) store<u8>(out + index++, <u8>i); // public: a hint is published
    }
    store<u8>(out + OMEGA + row, <u8>index);
  }
}

/** Algorithm 21. @returns false for what algorithm 20 does not give: there is one encoding of a hint. */
export function unpackHint(bytes: usize): bool {
  memory.fill(DSA_HINT, 0, ROWS * DSA_POLY);
  let index: usize = 0;
  for (let row: usize = 0; row < ROWS; row++) {
    const first = index;
    const end = <usize>load<u8>(bytes + OMEGA + row);
    if (end < index || end > OMEGA) return false; // public: a signature is
    for (; index < end; index++) {
      const at = load<u8>(bytes + index);
      if (index > first && load<u8>(bytes + index - 1) >= at) return false; // public: as above
      store<i32>(DSA_HINT + row * DSA_POLY + (<usize>at << 2), 1);
    }
  }
  let rest: u32 = 0;
  for (; index < OMEGA; index++) rest |= load<u8>(bytes + index);
  return rest == 0;
}
