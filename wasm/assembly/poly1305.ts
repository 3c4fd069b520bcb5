/**
 * Poly1305 (RFC 8439 section 2.5) over whole 16-byte blocks: the AEAD pads everything to those. The accumulator and r
 * are limbs of 32 bits in 64-bit words. Section 2.5 clears the four upper bits of each limb of r and the two lower ones
 * of r1 to r3, which is what makes this radix work: products and their sums stay within 64 bits, and 5/4 of a limb of
 * r is a whole number, by which what leaves above 2^130 comes back.
 *
 * Not for a message with a last block of fewer than 16 bytes, and not for a key used twice.
 */
import { POLY_STATE } from './memory';

// POLY_STATE: h0..h4 u64 (0), r0..r3 u64 (40), 5/4 of r1..r3 u64 (72), s 16 (96).
const LIMB: u64 = 0xffffffff;

/** Section 2.5.1: `key` is r 16 (clamped here) | s 16. */
export function setup(key: usize): void {
  memory.fill(POLY_STATE, 0, 40);
  store<u64>(POLY_STATE, load<u32>(key) & 0x0fffffff, 40);
  for (let i: usize = 1; i < 4; i++) {
    const r = <u64>(load<u32>(key + (i << 2)) & 0x0ffffffc);
    store<u64>(POLY_STATE + (i << 3), r, 40);
    store<u64>(POLY_STATE + (i << 3), r + (r >> 2), 64);
  }
  memory.copy(POLY_STATE + 96, key + 16, 16);
}

/**
 * h = (h + block) * r mod 2^130 - 5, not fully reduced: h1 to h3 are below 2^32, h4 below 4, h0 below 2^33.1.
 * With the block added h0 is below 2^33.7, h1 to h3 below 2^33, h4 at most 4. The limbs of r are below 2^28, their 5/4
 * below 2^28.4: the largest sum, d0, is below 2^63.5, and the carry out of d3 is below 2^31.4, which bounds h0 again.
 */
@inline
export function block(at: usize): void {
  const h0 = load<u64>(POLY_STATE, 0) + load<u32>(at);
  const h1 = load<u64>(POLY_STATE, 8) + load<u32>(at, 4);
  const h2 = load<u64>(POLY_STATE, 16) + load<u32>(at, 8);
  const h3 = load<u64>(POLY_STATE, 24) + load<u32>(at, 12);
  const h4 = load<u64>(POLY_STATE, 32) + 1;
  const r0 = load<u64>(POLY_STATE, 40);
  const r1 = load<u64>(POLY_STATE, 48);
  const r2 = load<u64>(POLY_STATE, 56);
  const r3 = load<u64>(POLY_STATE, 64);
  const s1 = load<u64>(POLY_STATE, 72);
  const s2 = load<u64>(POLY_STATE, 80);
  const s3 = load<u64>(POLY_STATE, 88);
  const d0 = h0 * r0 + h1 * s3 + h2 * s2 + h3 * s1;
  const d1 = h0 * r1 + h1 * r0 + h2 * s3 + h3 * s2 + h4 * s1 + (d0 >> 32);
  const d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * s3 + h4 * s2 + (d1 >> 32);
  const d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * s3 + (d2 >> 32);
  const d4 = h4 * r0 + (d3 >> 32);
  // 2^130 = 5 (mod p): d4 is 4 q + rest, and 5 q is (d4 - rest) + q.
  store<u64>(POLY_STATE, (d0 & LIMB) + (d4 & ~3) + (d4 >> 2), 0);
  store<u64>(POLY_STATE, d1 & LIMB, 8);
  store<u64>(POLY_STATE, d2 & LIMB, 16);
  store<u64>(POLY_STATE, d3 & LIMB, 24);
  store<u64>(POLY_STATE, d4 & 3, 32);
}

/** {@link block} for each from `at` to `end`, which are a multiple of 16 apart. */
export function blocks(at: usize, end: usize): void {
  for (; at < end; at += 16) block(at);
}

/** Writes the 16-byte tag: h mod p, plus s mod 2^128. */
export function finish(tag: usize): void {
  let h0 = load<u64>(POLY_STATE, 0);
  let h1 = load<u64>(POLY_STATE, 8);
  let h2 = load<u64>(POLY_STATE, 16);
  let h3 = load<u64>(POLY_STATE, 24);
  let h4 = load<u64>(POLY_STATE, 32);
  // Carry twice, so that h0 to h3 are below 2^32 and h4 is below 4: h is below 2^130.
  for (let pass = 0; pass < 2; pass++) {
    h1 += h0 >> 32;
    h0 &= LIMB;
    h2 += h1 >> 32;
    h1 &= LIMB;
    h3 += h2 >> 32;
    h2 &= LIMB;
    h4 += h3 >> 32;
    h3 &= LIMB;
    h0 += (h4 >> 2) * 5;
    h4 &= 3;
  }
  // h >= p exactly when h + 5 reaches 2^130, and then h + 5 is the answer modulo that. Counted, not compared.
  const over = (h4 + ((h3 + ((h2 + ((h1 + ((h0 + 5) >> 32)) >> 32)) >> 32)) >> 32)) >> 2;
  const t0 = h0 + over * 5 + load<u32>(POLY_STATE, 96);
  const t1 = h1 + load<u32>(POLY_STATE, 100) + (t0 >> 32);
  const t2 = h2 + load<u32>(POLY_STATE, 104) + (t1 >> 32);
  const t3 = h3 + load<u32>(POLY_STATE, 108) + (t2 >> 32);
  store<u32>(tag, <u32>t0, 0);
  store<u32>(tag, <u32>t1, 4);
  store<u32>(tag, <u32>t2, 8);
  store<u32>(tag, <u32>t3, 12);
}
