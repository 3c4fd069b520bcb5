/**
 * ChaCha20 (RFC 8439 section 2.3 and 2.4), four blocks at a time: each vector holds the same word of four blocks, so
 * the rounds need no shuffles, only the transposition at the end does. Poly1305 works in between: vectors and 64-bit
 * multiplications are done by different parts of a processor, which can then be busy at once.
 *
 * Additions, multiplications, exclusive-ors and fixed rotations only: nothing here can depend on a secret but the data
 * itself. Not for callers outside aead.ts: it takes a nonce and knows nothing of what is to be authenticated.
 */
import { CHACHA_STATE, CHACHA_STREAM } from './memory';
import * as poly1305 from './poly1305';

/** The four blocks of one call. */
export const STRIDE: usize = 256;

/** RFC 8439 section 2.3: "expand 32-byte k". */
const CONSTANTS: usize = memory.data<u32>([0x61707865, 0x3320646e, 0x79622d32, 0x6b206574]);

/** Rotations by whole bytes, as an order of bytes. Loaded, because V8 makes a constant anew at each use. */
const BY_16: usize = memory.data<u8>([2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13], 16);
const BY_8: usize = memory.data<u8>([3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14], 16);

/** CHACHA_STATE: word n of all four blocks at 16 n. */
@inline
function word(index: usize): v128 {
  return v128.load(CHACHA_STATE + (index << 4));
}

@inline
function spread(count: usize, from: usize, index: usize): void {
  for (let i: usize = 0; i < count; i++) {
    v128.store(CHACHA_STATE + ((index + i) << 4), v128.load32_splat(from + (i << 2)));
  }
}

/** Section 2.3: constants 4 | key 8 | counter 1 | nonce 3. The four counters are 0 to 3; each call moves them on. */
export function setup(key: usize, nonce: usize): void {
  spread(4, CONSTANTS, 0);
  spread(8, key, 4);
  v128.store(CHACHA_STATE, i32x4(0, 1, 2, 3), 12 << 4);
  spread(3, nonce, 13);
}

/** Puts the next four blocks of key stream in CHACHA_STREAM; Poly1305 takes what {@link apply} says. */
export function stream(from: usize, end: usize): void {
  memory.fill(CHACHA_STREAM, 0, STRIDE);
  apply(CHACHA_STREAM, from, end);
}

@inline
function rotateBytes(x: v128, by: v128): v128 {
  return v128.swizzle(x, by);
}

@inline
function rotate12(x: v128): v128 {
  return v128.or(i32x4.shl(x, 12), i32x4.shr_u(x, 20));
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

/**
 * XORs the next four blocks of key stream into the 256 bytes at `text`. Meanwhile Poly1305 takes the whole 16-byte
 * blocks from `from` to `end`: when opening those at `text` itself, which are read before they are overwritten.
 * Fifteen of them find room between the rounds, three in two double rounds, evenly spread: fewer leave a part of the
 * processor idle, more hold the rounds up (docs/decisions).
 */
export function apply(text: usize, from: usize, end: usize): void {
  const by16 = v128.load(BY_16);
  const by8 = v128.load(BY_8);
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
  let x12 = word(12);
  let x13 = word(13);
  let x14 = word(14);
  let x15 = word(15);
  for (let round = 0; round < 10; round++) {
    // Section 2.3: four quarter rounds on the columns, side by side …
    x0 = i32x4.add(x0, x4); x1 = i32x4.add(x1, x5); x2 = i32x4.add(x2, x6); x3 = i32x4.add(x3, x7);
    x12 = rotateBytes(v128.xor(x12, x0), by16); x13 = rotateBytes(v128.xor(x13, x1), by16); x14 = rotateBytes(v128.xor(x14, x2), by16); x15 = rotateBytes(v128.xor(x15, x3), by16);
    x8 = i32x4.add(x8, x12); x9 = i32x4.add(x9, x13); x10 = i32x4.add(x10, x14); x11 = i32x4.add(x11, x15);
    x4 = rotate12(v128.xor(x4, x8)); x5 = rotate12(v128.xor(x5, x9)); x6 = rotate12(v128.xor(x6, x10)); x7 = rotate12(v128.xor(x7, x11));
    x0 = i32x4.add(x0, x4); x1 = i32x4.add(x1, x5); x2 = i32x4.add(x2, x6); x3 = i32x4.add(x3, x7);
    x12 = rotateBytes(v128.xor(x12, x0), by8); x13 = rotateBytes(v128.xor(x13, x1), by8); x14 = rotateBytes(v128.xor(x14, x2), by8); x15 = rotateBytes(v128.xor(x15, x3), by8);
    x8 = i32x4.add(x8, x12); x9 = i32x4.add(x9, x13); x10 = i32x4.add(x10, x14); x11 = i32x4.add(x11, x15);
    x4 = rotate7(v128.xor(x4, x8)); x5 = rotate7(v128.xor(x5, x9)); x6 = rotate7(v128.xor(x6, x10)); x7 = rotate7(v128.xor(x7, x11));
    if (from < end) { // public: a length
      poly1305.block(from);
      from += 16;
    }
    // … and four on the diagonals.
    x0 = i32x4.add(x0, x5); x1 = i32x4.add(x1, x6); x2 = i32x4.add(x2, x7); x3 = i32x4.add(x3, x4);
    x15 = rotateBytes(v128.xor(x15, x0), by16); x12 = rotateBytes(v128.xor(x12, x1), by16); x13 = rotateBytes(v128.xor(x13, x2), by16); x14 = rotateBytes(v128.xor(x14, x3), by16);
    x10 = i32x4.add(x10, x15); x11 = i32x4.add(x11, x12); x8 = i32x4.add(x8, x13); x9 = i32x4.add(x9, x14);
    x5 = rotate12(v128.xor(x5, x10)); x6 = rotate12(v128.xor(x6, x11)); x7 = rotate12(v128.xor(x7, x8)); x4 = rotate12(v128.xor(x4, x9));
    x0 = i32x4.add(x0, x5); x1 = i32x4.add(x1, x6); x2 = i32x4.add(x2, x7); x3 = i32x4.add(x3, x4);
    x15 = rotateBytes(v128.xor(x15, x0), by8); x12 = rotateBytes(v128.xor(x12, x1), by8); x13 = rotateBytes(v128.xor(x13, x2), by8); x14 = rotateBytes(v128.xor(x14, x3), by8);
    x10 = i32x4.add(x10, x15); x11 = i32x4.add(x11, x12); x8 = i32x4.add(x8, x13); x9 = i32x4.add(x9, x14);
    x5 = rotate7(v128.xor(x5, x10)); x6 = rotate7(v128.xor(x6, x11)); x7 = rotate7(v128.xor(x7, x8)); x4 = rotate7(v128.xor(x4, x9));
    if ((round & 1) == 0 && from < end) { // public: which round this is, and a length
      poly1305.block(from);
      from += 16;
    }
  }
  poly1305.blocks(from, end);
  mix(text, i32x4.add(x0, word(0)), i32x4.add(x1, word(1)), i32x4.add(x2, word(2)), i32x4.add(x3, word(3)));
  mix(text + 16, i32x4.add(x4, word(4)), i32x4.add(x5, word(5)), i32x4.add(x6, word(6)), i32x4.add(x7, word(7)));
  mix(text + 32, i32x4.add(x8, word(8)), i32x4.add(x9, word(9)), i32x4.add(x10, word(10)), i32x4.add(x11, word(11)));
  mix(text + 48, i32x4.add(x12, word(12)), i32x4.add(x13, word(13)), i32x4.add(x14, word(14)), i32x4.add(x15, word(15)));
  v128.store(CHACHA_STATE, i32x4.add(word(12), i32x4.splat(4)), 12 << 4);
}
