/**
 * Poly1305 (RFC 8439 section 2.5) over whole 16-byte blocks: the AEAD pads everything to those. The accumulator and
 * r are five limbs of 26 bits, so that products of two limbs and their sums stay within 64 bits.
 *
 * Not for a message with a last block of fewer than 16 bytes, and not for a key used twice.
 */
import { POLY_STATE } from './memory';

// POLY_STATE: h0..h4 u64 (0), r0..r4 u64 (40), s 16 (80).
const LIMB: u64 = 0x3ffffff;

/** Section 2.5.1: `key` is r 16 (clamped here) | s 16. */
export function setup(key: usize): void {
  memory.fill(POLY_STATE, 0, 40);
  const lo = load<u64>(key) & 0x0ffffffc0fffffff;
  const hi = load<u64>(key, 8) & 0x0ffffffc0ffffffc;
  store<u64>(POLY_STATE, lo & LIMB, 40);
  store<u64>(POLY_STATE, (lo >> 26) & LIMB, 48);
  store<u64>(POLY_STATE, ((lo >> 52) | (hi << 12)) & LIMB, 56);
  store<u64>(POLY_STATE, (hi >> 14) & LIMB, 64);
  store<u64>(POLY_STATE, hi >> 40, 72);
  memory.copy(POLY_STATE + 80, key + 16, 16);
}

/** h = (h + block) * r mod 2^130 - 5 for each block; `length` is a multiple of 16. */
export function blocks(at: usize, length: usize): void {
  const end = at + length;
  const r0 = load<u64>(POLY_STATE, 40);
  const r1 = load<u64>(POLY_STATE, 48);
  const r2 = load<u64>(POLY_STATE, 56);
  const r3 = load<u64>(POLY_STATE, 64);
  const r4 = load<u64>(POLY_STATE, 72);
  // 2^130 = 5 (mod p): what leaves at the top comes back times five.
  const s1 = r1 * 5;
  const s2 = r2 * 5;
  const s3 = r3 * 5;
  const s4 = r4 * 5;
  let h0 = load<u64>(POLY_STATE, 0);
  let h1 = load<u64>(POLY_STATE, 8);
  let h2 = load<u64>(POLY_STATE, 16);
  let h3 = load<u64>(POLY_STATE, 24);
  let h4 = load<u64>(POLY_STATE, 32);
  for (; at < end; at += 16) {
    const lo = load<u64>(at);
    const hi = load<u64>(at, 8);
    h0 += lo & LIMB;
    h1 += (lo >> 26) & LIMB;
    h2 += ((lo >> 52) | (hi << 12)) & LIMB;
    h3 += (hi >> 14) & LIMB;
    h4 += (hi >> 40) | (1 << 24);
    const d0 = h0 * r0 + h1 * s4 + h2 * s3 + h3 * s2 + h4 * s1;
    const d1 = h0 * r1 + h1 * r0 + h2 * s4 + h3 * s3 + h4 * s2;
    const d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * s4 + h4 * s3;
    const d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * s4;
    const d4 = h0 * r4 + h1 * r3 + h2 * r2 + h3 * r1 + h4 * r0;
    const e1 = d1 + (d0 >> 26);
    const e2 = d2 + (e1 >> 26);
    const e3 = d3 + (e2 >> 26);
    const e4 = d4 + (e3 >> 26);
    h0 = (d0 & LIMB) + (e4 >> 26) * 5;
    h1 = (e1 & LIMB) + (h0 >> 26);
    h0 &= LIMB;
    h2 = e2 & LIMB;
    h3 = e3 & LIMB;
    h4 = e4 & LIMB;
  }
  store<u64>(POLY_STATE, h0, 0);
  store<u64>(POLY_STATE, h1, 8);
  store<u64>(POLY_STATE, h2, 16);
  store<u64>(POLY_STATE, h3, 24);
  store<u64>(POLY_STATE, h4, 32);
}

/** Writes the 16-byte tag: h mod p, plus s mod 2^128. */
export function finish(tag: usize): void {
  let h0 = load<u64>(POLY_STATE, 0);
  let h1 = load<u64>(POLY_STATE, 8);
  let h2 = load<u64>(POLY_STATE, 16);
  let h3 = load<u64>(POLY_STATE, 24);
  let h4 = load<u64>(POLY_STATE, 32);
  // Carry twice, so that every limb is below 2^26 and h below 2^130.
  for (let pass = 0; pass < 2; pass++) {
    h1 += h0 >> 26;
    h0 &= LIMB;
    h2 += h1 >> 26;
    h1 &= LIMB;
    h3 += h2 >> 26;
    h2 &= LIMB;
    h4 += h3 >> 26;
    h3 &= LIMB;
    h0 += (h4 >> 26) * 5;
    h4 &= LIMB;
  }
  h1 += h0 >> 26;
  h0 &= LIMB;
  // g = h + 5 - 2^130: not negative exactly when h >= p, and then g is the answer. A mask chooses, not a branch.
  let g0 = h0 + 5;
  let g1 = h1 + (g0 >> 26);
  let g2 = h2 + (g1 >> 26);
  let g3 = h3 + (g2 >> 26);
  const g4 = h4 + (g3 >> 26) - (1 << 26);
  const keep: u64 = <u64>(<i64>g4 >> 63);
  g0 &= LIMB;
  g1 &= LIMB;
  g2 &= LIMB;
  g3 &= LIMB;
  h0 = (h0 & keep) | (g0 & ~keep);
  h1 = (h1 & keep) | (g1 & ~keep);
  h2 = (h2 & keep) | (g2 & ~keep);
  h3 = (h3 & keep) | (g3 & ~keep);
  h4 = (h4 & keep) | (g4 & ~keep);
  const lo = h0 | (h1 << 26) | (h2 << 52);
  const hi = (h2 >> 12) | (h3 << 14) | (h4 << 40);
  const s = load<u64>(POLY_STATE, 80);
  const low = lo + s;
  // The carry out of the low half, without a comparison that a compiler could turn into a jump.
  const carry = ((lo & s) | ((lo | s) & ~low)) >> 63;
  store<u64>(tag, low, 0);
  store<u64>(tag, hi + load<u64>(POLY_STATE, 88) + carry, 8);
}
