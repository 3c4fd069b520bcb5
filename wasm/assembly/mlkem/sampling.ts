/**
 * Where ML-KEM's polynomials come from (FIPS 203 section 4.2.2): uniform ones from a public seed by rejection
 * (algorithm 7), small ones from a secret seed by the centred binomial distribution (algorithm 8).
 *
 * sampleUniform() branches on what it reads, which is public: never give it a secret seed.
 */
import { absorb, begin, pad, permute, SHAKE, SHAKE128_RATE, SHAKE256_RATE, take } from '../keccak';
import { KECCAK, MATRIX, POLY, VECTOR, XOF_INPUT, XOF_OUTPUT } from '../memory';
import { Q } from './arithmetic';

const RANK: usize = 3;
const DEGREE: i32 = 256;

/** Algorithm 7 over SHAKE128(rho | first | second). One block holds whole triples of bytes: 168 = 56 * 3. */
function sampleUniform(out: usize, rho: usize, first: usize, second: usize): void {
  memory.copy(XOF_INPUT, rho, 32);
  store<u8>(XOF_INPUT, <u8>first, 32);
  store<u8>(XOF_INPUT, <u8>second, 33);
  begin();
  absorb(XOF_INPUT, 34, SHAKE128_RATE);
  pad(SHAKE, SHAKE128_RATE);
  let count = sieve(out, 0);
  while (count < DEGREE) { // public: the matrix is made from rho, which everybody sees
    permute();
    count = sieve(out, count);
  }
}

/** Lines 4 to 14 of algorithm 7 for the block in the sponge. @returns how many coefficients there are now. */
function sieve(out: usize, from: i32): i32 {
  let count = from;
  for (let at = KECCAK; at < KECCAK + SHAKE128_RATE; at += 3) {
    const triple = <i32>load<u16>(at) | (<i32>load<u8>(at, 2) << 16);
    const low = triple & 0xfff;
    const high = triple >> 12;
    if (low < Q && count < DEGREE) { // public: as above
      store<i16>(out + (<usize>count << 1), <i16>low);
      count++;
    }
    if (high < Q && count < DEGREE) { // public: as above
      store<i16>(out + (<usize>count << 1), <i16>high);
      count++;
    }
  }
  return count;
}

/** The matrix A-hat at MATRIX, row by row (algorithm 13, lines 3 to 7: entry [i, j] from rho | j | i). */
export function sampleMatrix(rho: usize): void {
  for (let i: usize = 0; i < RANK; i++) {
    for (let j: usize = 0; j < RANK; j++) sampleUniform(MATRIX + i * VECTOR + j * POLY, rho, j, i);
  }
}

/** Its transpose (algorithm 14, line 19). */
export function sampleTransposed(rho: usize): void {
  for (let i: usize = 0; i < RANK; i++) {
    for (let j: usize = 0; j < RANK; j++) sampleUniform(MATRIX + i * VECTOR + j * POLY, rho, i, j);
  }
}

/** Algorithm 8 with eta = 2 over PRF(seed, nonce) = SHAKE256(seed | nonce): sums of two bits less sums of two bits. */
export function sampleNoise(out: usize, seed: usize, nonce: u8): void {
  memory.copy(XOF_INPUT, seed, 32);
  store<u8>(XOF_INPUT, nonce, 32);
  begin();
  absorb(XOF_INPUT, 33, SHAKE256_RATE);
  pad(SHAKE, SHAKE256_RATE);
  take(XOF_OUTPUT, 128);
  for (let i: usize = 0; i < 128; i += 4) {
    const word = load<u32>(XOF_OUTPUT + i);
    const sums = (word & 0x55555555) + ((word >> 1) & 0x55555555);
    // Eight coefficients from eight nibbles: the low pair less the high pair.
    for (let j: u32 = 0; j < 8; j++) {
      const nibble = sums >> (j << 2);
      store<i16>(out + (i << 2) + (<usize>j << 1), <i16>(nibble & 3) - <i16>((nibble >> 2) & 3));
    }
  }
}
