/**
 * ML-KEM-768 (FIPS 203 sections 6 and 7) with its randomness given, so that the published vectors run on it.
 * Decapsulation rejects implicitly, by a mask; a wrong ciphertext and a right one take the same steps.
 *
 * The product keeps decapsulation keys as seeds and makes the expanded form anew at each use (wasm/kernel.ts); the
 * check of section 7.3 stands here all the same, so that no expanded key of another origin could pass.
 * Not for randomness: m, d and z come from outside.
 */
import { absorb, begin, pad, SHA3, SHA3_256_RATE, SHA3_512_RATE, SHAKE, SHAKE256_RATE, take } from '../keccak';
import {
  KEM_AGAIN, KEM_CIPHERTEXT, KEM_DK, KEM_EK, KEM_HASH, KEM_MESSAGE, KEM_PAIR, KEM_PLAIN, KEM_REJECT, KEM_SCRATCH,
  KEM_SCRATCH_SIZE, KEM_SECRET, KEM_SEED,
} from '../memory';
import { decrypt, encrypt, generate, modulusCheck } from './kpke';

const EK_BYTES: usize = 1184;
const CT_BYTES: usize = 1088;
/** Where the parts of dk stand: dk_pke | ek | H(ek) | z. */
const DK_EK: usize = 1152;
const DK_HASH: usize = DK_EK + EK_BYTES;
const DK_Z: usize = DK_HASH + 32;

/** H of section 4.1: SHA3-256. */
function hashKey(out: usize, ek: usize): void {
  begin();
  absorb(ek, EK_BYTES, SHA3_256_RATE);
  pad(SHA3, SHA3_256_RATE);
  take(out, 32);
}

/** G of section 4.1, SHA3-512, of message | H(ek): K and r at KEM_PAIR. */
function derive(message: usize, hash: usize): void {
  begin();
  absorb(message, 32, SHA3_512_RATE);
  absorb(hash, 32, SHA3_512_RATE);
  pad(SHA3, SHA3_512_RATE);
  take(KEM_PAIR, 64);
}

/** J of section 4.1, SHAKE256, of z | c: what an invalid ciphertext gets. */
function deriveRejection(z: usize): void {
  begin();
  absorb(z, 32, SHAKE256_RATE);
  absorb(KEM_CIPHERTEXT, CT_BYTES, SHAKE256_RATE);
  pad(SHAKE, SHAKE256_RATE);
  take(KEM_REJECT, 32);
}

@inline
function forget(): void {
  memory.fill(KEM_SCRATCH, 0, KEM_SCRATCH_SIZE);
}

/** All ones when two regions differ, zero when they are equal; every byte is looked at. `length` is a multiple of 8. */
function differenceMask(a: usize, b: usize, length: usize): u64 {
  let bits: u64 = 0;
  for (let i: usize = 0; i < length; i += 8) bits |= load<u64>(a + i) ^ load<u64>(b + i);
  return <u64>(<i64>(bits | (0 - bits)) >> 63);
}

/** Algorithm 16: KEM_EK and KEM_DK from KEM_SEED = d | z, which is wiped. */
export function mlkemGenerate(): void {
  generate(KEM_SEED, KEM_EK, KEM_DK);
  memory.copy(KEM_DK + DK_EK, KEM_EK, EK_BYTES);
  hashKey(KEM_DK + DK_HASH, KEM_EK);
  memory.copy(KEM_DK + DK_Z, KEM_SEED + 32, 32);
  memory.fill(KEM_SEED, 0, 64);
  forget();
}

/**
 * Section 7.2 and algorithm 17: KEM_CIPHERTEXT and KEM_SECRET from KEM_EK and KEM_MESSAGE, which is wiped.
 * @returns false, with nothing made, when KEM_EK fails the modulus check.
 */
export function mlkemEncapsulate(): bool {
  const sound = modulusCheck(KEM_EK) == 0;
  if (sound) { // public: an encapsulation key is
    hashKey(KEM_HASH, KEM_EK);
    derive(KEM_MESSAGE, KEM_HASH);
    encrypt(KEM_CIPHERTEXT, KEM_EK, KEM_MESSAGE, KEM_PAIR + 32);
    memory.copy(KEM_SECRET, KEM_PAIR, 32);
  }
  memory.fill(KEM_MESSAGE, 0, 32);
  forget();
  return sound;
}

/**
 * Section 7.3 and algorithm 18: KEM_SECRET from KEM_DK and KEM_CIPHERTEXT. KEM_DK is wiped.
 * @returns false, with nothing made, when the hash in KEM_DK is not that of its encapsulation key.
 */
export function mlkemDecapsulate(): bool {
  hashKey(KEM_HASH, KEM_DK + DK_EK);
  const sound = differenceMask(KEM_HASH, KEM_DK + DK_HASH, 32) == 0;
  if (sound) decapsulate(); // public: that a key is not broken
  memory.fill(KEM_DK, 0, DK_Z + 32);
  forget();
  return sound;
}

function decapsulate(): void {
  const ek = KEM_DK + DK_EK;
  decrypt(KEM_PLAIN, KEM_DK, KEM_CIPHERTEXT);
  derive(KEM_PLAIN, KEM_DK + DK_HASH);
  deriveRejection(KEM_DK + DK_Z);
  encrypt(KEM_AGAIN, ek, KEM_PLAIN, KEM_PAIR + 32);
  const wrong = differenceMask(KEM_AGAIN, KEM_CIPHERTEXT, CT_BYTES);
  for (let i: usize = 0; i < 32; i += 8) {
    store<u64>(KEM_SECRET + i, (load<u64>(KEM_PAIR + i) & ~wrong) | (load<u64>(KEM_REJECT + i) & wrong));
  }
}
