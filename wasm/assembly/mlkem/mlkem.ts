/**
 * ML-KEM-768 (FIPS 203 sections 6 and 7) with its randomness given, so that the published vectors run on it.
 * Decapsulation rejects implicitly, by a mask; a wrong ciphertext and a right one take the same steps.
 *
 * Keys stay in the module, each in a place of its own (memory.ts, KEM_KEYS), from their generation to the one
 * decapsulation they are made for; they are made from seeds alone.
 * Not for randomness: m, d and z come from outside.
 */
import { absorb, begin, pad, SHA3, SHA3_256_RATE, SHA3_512_RATE, SHAKE, SHAKE256_RATE, take } from '../keccak';
import {
  KEM_AGAIN, KEM_CIPHERTEXT, KEM_EK, KEM_HASH, KEM_KEYS, KEM_KEY_SIZE, KEM_MESSAGE, KEM_PAIR, KEM_PLAIN, KEM_REJECT,
  KEM_SCRATCH, KEM_SCRATCH_SIZE, KEM_SECRET, KEM_SEED, KEM_Z,
} from '../memory';
import { decodePublic, decrypt, encodePublic, encrypt, generate } from './kpke';

const EK_BYTES: usize = 1184;
const CT_BYTES: usize = 1088;

/** The address of the n-th key; a number beyond the last one is the caller's mistake (wasm/kernel.ts counts them). */
@inline
export function keyAt(n: u32): usize {
  return KEM_KEYS + <usize>n * KEM_KEY_SIZE;
}

/** H of section 4.1: SHA3-256. */
export function hashKey(out: usize, ek: usize): void {
  begin();
  absorb(ek, EK_BYTES, SHA3_256_RATE);
  pad(SHA3, SHA3_256_RATE);
  take(out, 32, 0);
}

/** G of section 4.1, SHA3-512, of message | H(ek): K and r at KEM_PAIR. */
function derive(message: usize, hash: usize): void {
  begin();
  absorb(message, 32, SHA3_512_RATE);
  absorb(hash, 32, SHA3_512_RATE);
  pad(SHA3, SHA3_512_RATE);
  take(KEM_PAIR, 64, 0);
}

/** J of section 4.1, SHAKE256, of z | c: what an invalid ciphertext gets. */
function deriveRejection(z: usize): void {
  begin();
  absorb(z, 32, SHAKE256_RATE);
  absorb(KEM_CIPHERTEXT, CT_BYTES, SHAKE256_RATE);
  pad(SHAKE, SHAKE256_RATE);
  take(KEM_REJECT, 32, 0);
}

/** All ones when two regions differ, zero when they are equal; every byte is looked at. `length` is a multiple of 8. */
export function differenceMask(a: usize, b: usize, length: usize): u64 {
  let bits: u64 = 0;
  for (let i: usize = 0; i < length; i += 8) bits |= load<u64>(a + i) ^ load<u64>(b + i);
  return <u64>(<i64>(bits | (0 - bits)) >> 63);
}

export function forgetScratch(): void {
  memory.fill(KEM_SCRATCH, 0, KEM_SCRATCH_SIZE);
}

/** Wipes the n-th key. */
export function mlkemForget(n: u32): void {
  memory.fill(keyAt(n), 0, KEM_KEY_SIZE);
}

/** Algorithm 16: KEM_EK and the n-th key from KEM_SEED = d | z, which is wiped. */
export function mlkemGenerate(n: u32): void {
  const key = keyAt(n);
  generate(key, KEM_SEED);
  encodePublic(KEM_EK, key);
  hashKey(key + KEM_HASH, KEM_EK);
  memory.copy(key + KEM_Z, KEM_SEED + 32, 32);
  memory.fill(KEM_SEED, 0, 64);
  forgetScratch();
}

/**
 * Section 7.2 and algorithm 17: KEM_CIPHERTEXT and KEM_SECRET from KEM_EK and KEM_MESSAGE, which is wiped, as is key 0.
 * @returns false, with nothing made, when KEM_EK fails the modulus check.
 */
export function mlkemEncapsulate(): bool {
  const key = keyAt(0);
  const sound = decodePublic(key, KEM_EK) == 0;
  if (sound) { // public: an encapsulation key is
    hashKey(key + KEM_HASH, KEM_EK);
    derive(KEM_MESSAGE, key + KEM_HASH);
    encrypt(KEM_CIPHERTEXT, key, KEM_MESSAGE, KEM_PAIR + 32);
    memory.copy(KEM_SECRET, KEM_PAIR, 32);
  }
  memory.fill(KEM_MESSAGE, 0, 32);
  mlkemForget(0);
  forgetScratch();
  return sound;
}

/** Algorithm 18: KEM_SECRET from the n-th key, which stays until it is forgotten, and KEM_CIPHERTEXT. */
export function mlkemDecapsulate(n: u32): void {
  const key = keyAt(n);
  decrypt(KEM_PLAIN, key, KEM_CIPHERTEXT);
  derive(KEM_PLAIN, key + KEM_HASH);
  deriveRejection(key + KEM_Z);
  encrypt(KEM_AGAIN, key, KEM_PLAIN, KEM_PAIR + 32);
  const wrong = differenceMask(KEM_AGAIN, KEM_CIPHERTEXT, CT_BYTES);
  for (let i: usize = 0; i < 32; i += 8) {
    store<u64>(KEM_SECRET + i, (load<u64>(KEM_PAIR + i) & ~wrong) | (load<u64>(KEM_REJECT + i) & wrong));
  }
  forgetScratch();
}
