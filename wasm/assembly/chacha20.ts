/**
 * ChaCha20 (RFC 8439 section 2.3 and 2.4), four blocks at a time: each vector holds the same word of four blocks, so
 * the rounds need no shuffles, only the transposition at the end does.
 *
 * Additions, exclusive-ors and fixed rotations only: nothing here can depend on a secret but the data itself.
 * Not for callers outside aead.ts: it takes a nonce and knows nothing of authentication.
 */
import { CHACHA_STATE, CHACHA_STREAM } from './memory';

/** The four blocks of one call. */
export const STRIDE: usize = 256;

/** RFC 8439 section 2.3: "expand 32-byte k" | key 32 | counter 4 | nonce 12. The counter is set by each call. */
export function setup(key: usize, nonce: usize): void {
  store<u32>(CHACHA_STATE, 0x61707865, 0);
  store<u32>(CHACHA_STATE, 0x3320646e, 4);
  store<u32>(CHACHA_STATE, 0x79622d32, 8);
  store<u32>(CHACHA_STATE, 0x6b206574, 12);
  memory.copy(CHACHA_STATE + 16, key, 32);
  memory.copy(CHACHA_STATE + 52, nonce, 12);
}

/** Puts the key stream of blocks `counter` to `counter + 3` in CHACHA_STREAM. */
export function stream(counter: u32): void {
  memory.fill(CHACHA_STREAM, 0, STRIDE);
  apply(CHACHA_STREAM, counter);
}

@inline
function word(index: usize): v128 {
  return v128.load_splat<u32>(CHACHA_STATE + (index << 2));
}

@inline
function rotate16(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}

@inline
function rotate12(x: v128): v128 {
  return v128.or(i32x4.shl(x, 12), i32x4.shr_u(x, 20));
}

@inline
function rotate8(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14);
}

@inline
function rotate7(x: v128): v128 {
  return v128.or(i32x4.shl(x, 7), i32x4.shr_u(x, 25));
}

/**
 * Four consecutive words of each of the four blocks, turned from one vector a word to one vector a block, into the
 * text at `at` (block 0), 64 bytes on (block 1) and so forth.
 */
@inline
function mix(at: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const ab2 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const cd2 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(at, v128.xor(v128.load(at), v128.shuffle<i64>(ab0, cd0, 0, 2)));
  v128.store(at, v128.xor(v128.load(at, 64), v128.shuffle<i64>(ab0, cd0, 1, 3)), 64);
  v128.store(at, v128.xor(v128.load(at, 128), v128.shuffle<i64>(ab2, cd2, 0, 2)), 128);
  v128.store(at, v128.xor(v128.load(at, 192), v128.shuffle<i64>(ab2, cd2, 1, 3)), 192);
}

/** XORs the key stream of blocks `counter` to `counter + 3` into the 256 bytes at `text`. */
export function apply(text: usize, counter: u32): void {
  const counters = i32x4.add(i32x4.splat(counter), i32x4(0, 1, 2, 3));
  let x0 = word(0);
  let x1 = word(1);
  let x2 = word(2);
  let x3 = word(3);
  let x4 = word(4);
  let x5 = word(5);
  let x6 = word(6);
  let x7 = word(7);
  let x8 = word(8);
  let x9 = word(9);
  let x10 = word(10);
  let x11 = word(11);
  let x12 = counters;
  let x13 = word(13);
  let x14 = word(14);
  let x15 = word(15);
  for (let round = 0; round < 20; round += 2) {
    // Section 2.3: four quarter rounds on the columns, side by side …
    x0 = i32x4.add(x0, x4); x1 = i32x4.add(x1, x5); x2 = i32x4.add(x2, x6); x3 = i32x4.add(x3, x7);
    x12 = rotate16(v128.xor(x12, x0)); x13 = rotate16(v128.xor(x13, x1)); x14 = rotate16(v128.xor(x14, x2)); x15 = rotate16(v128.xor(x15, x3));
    x8 = i32x4.add(x8, x12); x9 = i32x4.add(x9, x13); x10 = i32x4.add(x10, x14); x11 = i32x4.add(x11, x15);
    x4 = rotate12(v128.xor(x4, x8)); x5 = rotate12(v128.xor(x5, x9)); x6 = rotate12(v128.xor(x6, x10)); x7 = rotate12(v128.xor(x7, x11));
    x0 = i32x4.add(x0, x4); x1 = i32x4.add(x1, x5); x2 = i32x4.add(x2, x6); x3 = i32x4.add(x3, x7);
    x12 = rotate8(v128.xor(x12, x0)); x13 = rotate8(v128.xor(x13, x1)); x14 = rotate8(v128.xor(x14, x2)); x15 = rotate8(v128.xor(x15, x3));
    x8 = i32x4.add(x8, x12); x9 = i32x4.add(x9, x13); x10 = i32x4.add(x10, x14); x11 = i32x4.add(x11, x15);
    x4 = rotate7(v128.xor(x4, x8)); x5 = rotate7(v128.xor(x5, x9)); x6 = rotate7(v128.xor(x6, x10)); x7 = rotate7(v128.xor(x7, x11));
    // … and four on the diagonals.
    x0 = i32x4.add(x0, x5); x1 = i32x4.add(x1, x6); x2 = i32x4.add(x2, x7); x3 = i32x4.add(x3, x4);
    x15 = rotate16(v128.xor(x15, x0)); x12 = rotate16(v128.xor(x12, x1)); x13 = rotate16(v128.xor(x13, x2)); x14 = rotate16(v128.xor(x14, x3));
    x10 = i32x4.add(x10, x15); x11 = i32x4.add(x11, x12); x8 = i32x4.add(x8, x13); x9 = i32x4.add(x9, x14);
    x5 = rotate12(v128.xor(x5, x10)); x6 = rotate12(v128.xor(x6, x11)); x7 = rotate12(v128.xor(x7, x8)); x4 = rotate12(v128.xor(x4, x9));
    x0 = i32x4.add(x0, x5); x1 = i32x4.add(x1, x6); x2 = i32x4.add(x2, x7); x3 = i32x4.add(x3, x4);
    x15 = rotate8(v128.xor(x15, x0)); x12 = rotate8(v128.xor(x12, x1)); x13 = rotate8(v128.xor(x13, x2)); x14 = rotate8(v128.xor(x14, x3));
    x10 = i32x4.add(x10, x15); x11 = i32x4.add(x11, x12); x8 = i32x4.add(x8, x13); x9 = i32x4.add(x9, x14);
    x5 = rotate7(v128.xor(x5, x10)); x6 = rotate7(v128.xor(x6, x11)); x7 = rotate7(v128.xor(x7, x8)); x4 = rotate7(v128.xor(x4, x9));
  }
  mix(text, i32x4.add(x0, word(0)), i32x4.add(x1, word(1)), i32x4.add(x2, word(2)), i32x4.add(x3, word(3)));
  mix(text + 16, i32x4.add(x4, word(4)), i32x4.add(x5, word(5)), i32x4.add(x6, word(6)), i32x4.add(x7, word(7)));
  mix(text + 32, i32x4.add(x8, word(8)), i32x4.add(x9, word(9)), i32x4.add(x10, word(10)), i32x4.add(x11, word(11)));
  mix(text + 48, i32x4.add(x12, counters), i32x4.add(x13, word(13)), i32x4.add(x14, word(14)), i32x4.add(x15, word(15)));
}
