/**
 * Keccak-f[1600] and the sponges of FIPS 202 (sections 3, 4 and 6) that ML-KEM and ML-DSA ask for, two at a time: lane i
 * of both stands in one vector, 16 bytes from the next lane. expandPair() makes two different streams of one seed;
 * the others run the first sponge alone, and the second idles beside it.
 *
 * Inputs are whole 8-byte words but for the last one of finish(). Not exported from the module: nothing in Latchkey/1
 * outside these two hashes with SHA-3.
 */
import { KECCAK, KECCAK_OTHER } from './memory';

/** Rates in bytes, FIPS 202 sections 6.1 and 6.2. */
export const SHA3_256_RATE: usize = 136;
export const SHA3_512_RATE: usize = 72;
export const SHAKE128_RATE: usize = 168;
export const SHAKE256_RATE: usize = 136;
/** The domain bits with the first bit of the padding, FIPS 202 section B.2. */
export const SHA3: u64 = 0x06;
export const SHAKE: u64 = 0x1f;
/** The last bit of pad10*1 in the last word of a block. */
const LAST_BIT: u64 = 0x8000000000000000;

/** Section 3.2.5. */
const ROUND: usize = memory.data<u64>([
  0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
  0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
  0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
  0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
  0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
  0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
]);

/** Bytes absorbed into the present block; lengths only. */
let position: usize = 0;

export function begin(): void {
  memory.fill(KECCAK, 0, 400);
  position = 0;
}

/** XORs one word into the first sponge's block at byte `at` of it. */
@inline
function mixWord(at: usize, word: u64): void {
  const lane = KECCAK + (at << 1);
  store<u64>(lane, load<u64>(lane) ^ word);
}

/** `length` is a multiple of 8. */
export function absorb(data: usize, length: usize, rate: usize): void {
  for (let i: usize = 0; i < length; i += 8) {
    mixWord(position, load<u64>(data + i));
    position += 8;
    if (position == rate) { // public: lengths
      permute();
      position = 0;
    }
  }
}

/** pad10*1 behind the domain bits; after it the sponge gives. */
export function pad(domain: u64, rate: usize): void {
  mixWord(position, domain);
  mixWord(rate - 8, LAST_BIT);
  permute();
}

/** Absorbs the last `length` bytes, however many, and pads behind them. Reads up to eight bytes beyond, and forgets them. */
export function finish(data: usize, length: usize, domain: u64, rate: usize): void {
  const whole = length & ~7;
  absorb(data, whole, rate);
  const bits = <u64>(length & 7) << 3;
  pad((load<u64>(data + whole) & ((<u64>1 << bits) - 1)) | (domain << bits), rate);
}

/**
 * Starts two sponges on seed | suffix, one block each, and permutes once. The seed has `length` bytes, whole words; each
 * suffix holds at most seven bytes with the domain bits behind its last one.
 */
export function expandPair(seed: usize, length: usize, first: u64, second: u64, rate: usize): void {
  begin();
  for (let i: usize = 0; i < length; i += 8) v128.store(KECCAK + (i << 1), v128.load_splat<u64>(seed + i));
  const behind = KECCAK + (length << 1);
  store<u64>(behind, first);
  store<u64>(behind, second, 8);
  v128.store(KECCAK + ((rate - 8) << 1), i64x2.splat(LAST_BIT));
  permute();
}

/** The first `length` bytes of the block of sponge 0 or 1; a multiple of 8. */
export function take(out: usize, length: usize, sponge: usize): void {
  const lanes = KECCAK + (sponge << 3);
  for (let i: usize = 0; i < length; i += 8) store<u64>(out + i, load<u64>(lanes + (i << 1)));
}

@inline
function rotate(x: v128, by: i32): v128 {
  return v128.or(i64x2.shl(x, by), i64x2.shr_u(x, 64 - by));
}

/** The parity of column x, for theta. */
@inline
function parity(x: usize): v128 {
  const sum = v128.xor(v128.load(KECCAK + x * 16), v128.load(KECCAK + (x + 5) * 16));
  const next = v128.xor(v128.load(KECCAK + (x + 10) * 16), v128.load(KECCAK + (x + 15) * 16));
  return v128.xor(v128.xor(sum, next), v128.load(KECCAK + (x + 20) * 16));
}

/** Lane i after theta and rho. */
@inline
function turned(from: usize, i: usize, theta: v128, by: i32): v128 {
  return rotate(v128.xor(v128.load(from + i * 16), theta), by);
}

/** chi for one lane, stored as lane i. */
@inline
function chi(to: usize, i: usize, a: v128, b: v128, c: v128): v128 {
  const lane = v128.xor(a, v128.andnot(c, b));
  v128.store(to + i * 16, lane);
  return lane;
}

/**
 * Sections 3.2 and 3.3 on both sponges, from one buffer to the other and back, twenty-four times. Lane (x, y) is
 * x + 5y. Each row of the new state comes from five lanes of the old one (pi), and the parities that the next round's
 * theta needs are summed on the way.
 */
export function permute(): void {
  let p0 = parity(0);
  let p1 = parity(1);
  let p2 = parity(2);
  let p3 = parity(3);
  let p4 = parity(4);
  let from = KECCAK;
  let to = KECCAK_OTHER;
  for (let round: usize = 0; round < 192; round += 8) {
    const t0 = v128.xor(p4, rotate(p1, 1));
    const t1 = v128.xor(p0, rotate(p2, 1));
    const t2 = v128.xor(p1, rotate(p3, 1));
    const t3 = v128.xor(p2, rotate(p4, 1));
    const t4 = v128.xor(p3, rotate(p0, 1));
    let a = v128.xor(v128.load(from), t0);
    let b = turned(from, 6, t1, 44);
    let c = turned(from, 12, t2, 43);
    let d = turned(from, 18, t3, 21);
    let e = turned(from, 24, t4, 14);
    p0 = chi(to, 0, v128.xor(a, v128.load_splat<u64>(ROUND + round)), b, c); // iota too
    p1 = chi(to, 1, b, c, d);
    p2 = chi(to, 2, c, d, e);
    p3 = chi(to, 3, d, e, a);
    p4 = chi(to, 4, e, a, b);
    a = turned(from, 3, t3, 28);
    b = turned(from, 9, t4, 20);
    c = turned(from, 10, t0, 3);
    d = turned(from, 16, t1, 45);
    e = turned(from, 22, t2, 61);
    p0 = v128.xor(p0, chi(to, 5, a, b, c));
    p1 = v128.xor(p1, chi(to, 6, b, c, d));
    p2 = v128.xor(p2, chi(to, 7, c, d, e));
    p3 = v128.xor(p3, chi(to, 8, d, e, a));
    p4 = v128.xor(p4, chi(to, 9, e, a, b));
    a = turned(from, 1, t1, 1);
    b = turned(from, 7, t2, 6);
    c = turned(from, 13, t3, 25);
    d = turned(from, 19, t4, 8);
    e = turned(from, 20, t0, 18);
    p0 = v128.xor(p0, chi(to, 10, a, b, c));
    p1 = v128.xor(p1, chi(to, 11, b, c, d));
    p2 = v128.xor(p2, chi(to, 12, c, d, e));
    p3 = v128.xor(p3, chi(to, 13, d, e, a));
    p4 = v128.xor(p4, chi(to, 14, e, a, b));
    a = turned(from, 4, t4, 27);
    b = turned(from, 5, t0, 36);
    c = turned(from, 11, t1, 10);
    d = turned(from, 17, t2, 15);
    e = turned(from, 23, t3, 56);
    p0 = v128.xor(p0, chi(to, 15, a, b, c));
    p1 = v128.xor(p1, chi(to, 16, b, c, d));
    p2 = v128.xor(p2, chi(to, 17, c, d, e));
    p3 = v128.xor(p3, chi(to, 18, d, e, a));
    p4 = v128.xor(p4, chi(to, 19, e, a, b));
    a = turned(from, 2, t2, 62);
    b = turned(from, 8, t3, 55);
    c = turned(from, 14, t4, 39);
    d = turned(from, 15, t0, 41);
    e = turned(from, 21, t1, 2);
    p0 = v128.xor(p0, chi(to, 20, a, b, c));
    p1 = v128.xor(p1, chi(to, 21, b, c, d));
    p2 = v128.xor(p2, chi(to, 22, c, d, e));
    p3 = v128.xor(p3, chi(to, 23, d, e, a));
    p4 = v128.xor(p4, chi(to, 24, e, a, b));
    const old = from;
    from = to;
    to = old;
  }
}
