/**
 * ML-DSA-65 (FIPS 204 sections 5 and 6) with its randomness given, so that the published vectors run on it. Keys are
 * kept as their seed alone and expanded for each signature.
 *
 * A message is M' of algorithms 2 and 3, at CHUNK: 0 | u8 length of the context, context | M. Not for the pre-hashed mode,
 * and not for randomness: xi and rnd come from outside.
 */
import { absorb, begin, finish, SHAKE, SHAKE256_RATE, take } from '../keccak';
import {
  CHUNK, DSA_A, DSA_C, DSA_CHALLENGE, DSA_EXPANDED, DSA_HINT, DSA_MASK_SEED, DSA_MU, DSA_POLY, DSA_PUBLIC, DSA_RANDOM,
  DSA_S1, DSA_S2, DSA_SCRATCH, DSA_SCRATCH_SIZE, DSA_SEED, DSA_SIGNATURE, DSA_T, DSA_T0, DSA_TR, DSA_W, DSA_W1, DSA_Y,
  DSA_Z, KECCAK,
} from '../memory';
import { canonical, exceeds, reduce } from './arithmetic';
import {
  MASK_BITS, mirror, OMEGA, pack, packHint, T1_BITS, unpack, unpackHint, W1_BITS,
} from './encoding';
import { innerProduct, inverse, multiply, ntt } from './ntt';
import { GAMMA2, highBits, lowBits, power2High, useHint } from './rounding';
import { GAMMA1, sampleChallenge, sampleMask, sampleMatrix, sampleShort } from './sampling';

/** k and l of FIPS 204 section 4, table 1. */
const ROWS: usize = 6;
const COLUMNS: usize = 5;
/** tau * eta. */
const BETA: i32 = 196;

const PUBLIC_BYTES: usize = 1952;
const T1_BYTES: usize = 320;
const W1_BYTES: usize = 128;
const Z_BYTES: usize = 640;
const CHALLENGE_BYTES: usize = 48;
/** Where z, and the hint behind it, stand in a signature. */
const Z: usize = DSA_SIGNATURE + CHALLENGE_BYTES;
const HINT: usize = Z + COLUMNS * Z_BYTES;
/** rho' and K behind rho. */
const SHORT_SEED: usize = DSA_EXPANDED + 32;
const K: usize = SHORT_SEED + 64;

/** SHAKE256 of `length` bytes, the first `out` of it. */
function hash(to: usize, out: usize, data: usize, length: usize): void {
  begin();
  finish(data, length, SHAKE, SHAKE256_RATE);
  take(to, out, 0);
}

/** mu of algorithm 7, line 6: of tr and the message. */
function hashMessage(length: usize): void {
  hash(DSA_TR, 64, DSA_PUBLIC, PUBLIC_BYTES);
  begin();
  absorb(DSA_TR, 64, SHAKE256_RATE);
  finish(CHUNK, length, SHAKE, SHAKE256_RATE);
  take(DSA_MU, 64, 0);
}

function nttAll(first: usize, count: usize): void {
  for (let poly = first; poly < first + count * DSA_POLY; poly += DSA_POLY) ntt(poly);
}

function forget(): void {
  memory.fill(DSA_SCRATCH, 0, DSA_SCRATCH_SIZE);
  memory.fill(DSA_SEED, 0, 64);
  memory.fill(KECCAK, 0, 800);
}

/** Algorithm 6: the public key at its door; A-hat and s1 in the domain of the transform, s2 and t0. */
function expand(): void {
  // rho | rho' | K = H(xi | k | l)
  begin();
  absorb(DSA_SEED, 32, SHAKE256_RATE);
  store<u64>(DSA_EXPANDED, ROWS | (COLUMNS << 8));
  finish(DSA_EXPANDED, 2, SHAKE, SHAKE256_RATE);
  take(DSA_EXPANDED, 128, 0);
  memory.copy(DSA_PUBLIC, DSA_EXPANDED, 32);
  sampleMatrix(DSA_EXPANDED);
  sampleShort(SHORT_SEED);
  nttAll(DSA_S1, COLUMNS);
  for (let row: usize = 0; row < ROWS; row++) roundRow(row);
}

/** One row of t = A s1 + s2, its high bits into the public key and its low ones into t0. */
function roundRow(row: usize): void {
  const low = DSA_T0 + row * DSA_POLY;
  const s2 = DSA_S2 + row * DSA_POLY;
  innerProduct(low, DSA_A + row * COLUMNS * DSA_POLY, DSA_S1);
  inverse(low);
  for (let i: usize = 0; i < DSA_POLY; i += 4) {
    const t = canonical(load<i32>(low + i) + load<i32>(s2 + i));
    const high = power2High(t);
    store<i32>(DSA_T + i, high);
    store<i32>(low + i, t - (high << 13));
  }
  pack(DSA_PUBLIC + 32 + row * T1_BYTES, DSA_T, T1_BITS);
}

/** Algorithm 6: DSA_PUBLIC from DSA_SEED, which is wiped. */
export function mldsaGenerate(): void {
  expand();
  forget();
}

/** Algorithm 7: DSA_SIGNATURE from DSA_SEED, `length` bytes of CHUNK and DSA_RANDOM; seed and randomness are wiped. */
export function mldsaSign(length: usize): void {
  expand();
  nttAll(DSA_S2, ROWS);
  nttAll(DSA_T0, ROWS);
  hashMessage(length);
  memory.copy(DSA_MASK_SEED, K, 32);
  memory.copy(DSA_MASK_SEED + 32, DSA_RANDOM, 32);
  memory.copy(DSA_MASK_SEED + 64, DSA_MU, 64);
  hash(DSA_MASK_SEED, 64, DSA_MASK_SEED, 128);
  let kappa: usize = 0;
  while (!attempt(kappa)) kappa += COLUMNS; // public: how often one tries again is independent of the key
  memory.copy(DSA_SIGNATURE, DSA_CHALLENGE, CHALLENGE_BYTES);
  for (let i: usize = 0; i < COLUMNS; i++) {
    mirror(DSA_Z + i * DSA_POLY, GAMMA1);
    pack(Z + i * Z_BYTES, DSA_Z + i * DSA_POLY, MASK_BITS);
  }
  packHint(HINT);
  forget();
}

/** Lines 11 to 30, once. @returns whether z, at DSA_Z, and the hint, at DSA_HINT, may be published. */
function attempt(kappa: usize): bool {
  sampleMask(DSA_MASK_SEED, kappa);
  memory.copy(DSA_Z, DSA_Y, COLUMNS * DSA_POLY);
  nttAll(DSA_Z, COLUMNS);
  for (let row: usize = 0; row < ROWS; row++) commit(row);
  hash(DSA_CHALLENGE, CHALLENGE_BYTES, DSA_MU, 64 + ROWS * W1_BYTES);
  sampleChallenge();
  ntt(DSA_C);
  let beyond: i32 = 0;
  for (let i: usize = 0; i < COLUMNS; i++) beyond |= respond(i);
  for (let row: usize = 0; row < ROWS; row++) beyond |= uncover(row);
  if (beyond != 0) return false; // public: as above, and not which coefficient it was
  let hints: i32 = 0;
  for (let row: usize = 0; row < ROWS; row++) hints += hint(row);
  return hints <= <i32>OMEGA;
}

/** One row of w = A y, and its high bits where they are hashed. */
function commit(row: usize): void {
  const w = DSA_W + row * DSA_POLY;
  innerProduct(w, DSA_A + row * COLUMNS * DSA_POLY, DSA_Z);
  inverse(w);
  for (let i: usize = 0; i < DSA_POLY; i += 4) {
    const r = canonical(load<i32>(w + i));
    store<i32>(w + i, r);
    store<i32>(DSA_T + i, highBits(r));
  }
  pack(DSA_W1 + row * W1_BYTES, DSA_T, W1_BITS);
}

/** One polynomial of z = y + c s1. @returns not 0 when a coefficient is gamma1 - beta or more. */
function respond(i: usize): i32 {
  const z = DSA_Z + i * DSA_POLY;
  const y = DSA_Y + i * DSA_POLY;
  multiply(z, DSA_C, DSA_S1 + i * DSA_POLY);
  inverse(z);
  let beyond: i32 = 0;
  for (let at: usize = 0; at < DSA_POLY; at += 4) {
    const sum = load<i32>(y + at) + load<i32>(z + at);
    store<i32>(z + at, sum);
    beyond |= exceeds(sum, GAMMA1 - BETA);
  }
  return beyond;
}

/** One row of w - c s2, in place. @returns not 0 when its low bits are gamma2 - beta or more. */
function uncover(row: usize): i32 {
  const w = DSA_W + row * DSA_POLY;
  multiply(DSA_T, DSA_C, DSA_S2 + row * DSA_POLY);
  inverse(DSA_T);
  let beyond: i32 = 0;
  for (let i: usize = 0; i < DSA_POLY; i += 4) {
    const r = canonical(load<i32>(w + i) - load<i32>(DSA_T + i));
    store<i32>(w + i, r);
    beyond |= exceeds(lowBits(r, highBits(r)), GAMMA2 - BETA);
  }
  return beyond;
}

/**
 * One row of the hint: where adding c t0 changes the high bits of w - c s2. @returns how many there are.
 * Line 28's bound on c t0 holds always: its coefficients are at most tau * 2^12 = 200,704, below gamma2.
 */
function hint(row: usize): i32 {
  const w = DSA_W + row * DSA_POLY;
  multiply(DSA_T, DSA_C, DSA_T0 + row * DSA_POLY);
  inverse(DSA_T);
  let count: i32 = 0;
  for (let i: usize = 0; i < DSA_POLY; i += 4) {
    const r = load<i32>(w + i);
    const differs = highBits(canonical(r + load<i32>(DSA_T + i))) ^ highBits(r);
    const one = <i32>(<u32>-differs >> 31);
    store<i32>(DSA_HINT + row * DSA_POLY + i, one);
    count += one;
  }
  return count;
}

/** Algorithm 8. @returns whether DSA_SIGNATURE is one of `length` bytes of CHUNK under DSA_PUBLIC, all of them public. */
export function mldsaVerify(length: usize): bool {
  const genuine = unpackHint(HINT) && verifies(length); // public: all that is verified
  forget();
  return genuine;
}

function verifies(length: usize): bool {
  let beyond: i32 = 0;
  for (let i: usize = 0; i < COLUMNS; i++) {
    const z = DSA_Z + i * DSA_POLY;
    unpack(z, Z + i * Z_BYTES, MASK_BITS);
    mirror(z, GAMMA1);
    for (let at: usize = 0; at < DSA_POLY; at += 4) beyond |= exceeds(load<i32>(z + at), GAMMA1 - BETA);
  }
  if (beyond != 0) return false; // public: a signature is
  hashMessage(length);
  memory.copy(DSA_CHALLENGE, DSA_SIGNATURE, CHALLENGE_BYTES);
  sampleChallenge();
  ntt(DSA_C);
  nttAll(DSA_Z, COLUMNS);
  sampleMatrix(DSA_PUBLIC);
  for (let row: usize = 0; row < ROWS; row++) recommit(row);
  hash(DSA_CHALLENGE, CHALLENGE_BYTES, DSA_MU, 64 + ROWS * W1_BYTES);
  let difference: u64 = 0;
  for (let i: usize = 0; i < CHALLENGE_BYTES; i += 8) {
    difference |= load<u64>(DSA_CHALLENGE + i) ^ load<u64>(DSA_SIGNATURE + i);
  }
  return difference == 0;
}

/** One row of lines 9 and 10: the high bits of A z - c t1 2^d, corrected by the hint, where they are hashed. */
function recommit(row: usize): void {
  const w = DSA_W + row * DSA_POLY;
  unpack(DSA_T, DSA_PUBLIC + 32 + row * T1_BYTES, T1_BITS);
  for (let i: usize = 0; i < DSA_POLY; i += 4) store<i32>(DSA_T + i, load<i32>(DSA_T + i) << 13);
  ntt(DSA_T);
  multiply(DSA_T, DSA_C, DSA_T);
  innerProduct(w, DSA_A + row * COLUMNS * DSA_POLY, DSA_Z);
  for (let i: usize = 0; i < DSA_POLY; i += 4) store<i32>(w + i, reduce(load<i32>(w + i) - load<i32>(DSA_T + i)));
  inverse(w);
  for (let i: usize = 0; i < DSA_POLY; i += 4) {
    store<i32>(DSA_T + i, useHint(load<i32>(DSA_HINT + row * DSA_POLY + i), canonical(load<i32>(w + i))));
  }
  pack(DSA_W1 + row * W1_BYTES, DSA_T, W1_BITS);
}
