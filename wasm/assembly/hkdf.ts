/**
 * HMAC-SHA-256 (RFC 2104) and HKDF-Expand (RFC 5869 section 2.3). HKDF-Extract is HMAC with the salt as its key.
 * The key is worked into two saved states once, so that Expand hashes it once for all of its blocks.
 *
 * Not for keys of unequal secrecy: a key's length shows in time (as in every HMAC), its bytes do not.
 */
import { CHUNK, DIGEST, HKDF_BLOCK, HMAC_INNER, HMAC_OUTER, HMAC_PAD, OKM, SHA_STATE } from './memory';
import { begin, finish, forget, resume, update } from './sha256';

const BLOCK: usize = 64;
const DIGEST_SIZE: usize = 32;

/** RFC 2104 section 2, step 1: a key longer than a block is hashed first. */
function setKey(key: usize, length: usize): void {
  memory.fill(HMAC_PAD, 0, BLOCK);
  if (length > BLOCK) { // public: a length
    begin();
    update(key, length);
    finish(HMAC_PAD);
  } else {
    memory.copy(HMAC_PAD, key, length);
  }
  absorbPad(0x3636363636363636, HMAC_INNER);
  absorbPad(0x5c5c5c5c5c5c5c5c ^ 0x3636363636363636, HMAC_OUTER);
  memory.fill(HMAC_PAD, 0, BLOCK);
}

/** Flips the pad and keeps the state of SHA-256 after it. */
function absorbPad(flip: u64, state: usize): void {
  for (let i: usize = 0; i < BLOCK; i += 8) store<u64>(HMAC_PAD + i, load<u64>(HMAC_PAD + i) ^ flip);
  begin();
  update(HMAC_PAD, BLOCK);
  memory.copy(state, SHA_STATE, DIGEST_SIZE);
}

function finishMac(out: usize): void {
  finish(HKDF_BLOCK);
  resume(HMAC_OUTER);
  update(HKDF_BLOCK, DIGEST_SIZE);
  finish(out);
}

/** The key is CHUNK[0..length], wiped here. Text follows through hashUpdate(). */
export function hmacBegin(length: usize): void {
  setKey(CHUNK, length);
  memory.fill(CHUNK, 0, length);
  resume(HMAC_INNER);
}

/** Leaves the code at DIGEST. */
export function hmacFinish(): void {
  finishMac(DIGEST);
  forget();
}

/**
 * Key CHUNK[0..keyLength], info right behind it; `length` bytes of output at OKM. CHUNK is wiped.
 * The caller keeps `length` at or below OKM_MAX.
 */
export function hkdfExpand(keyLength: usize, infoLength: usize, length: usize): void {
  setKey(CHUNK, keyLength);
  let counter: u32 = 1;
  for (let done: usize = 0; done < length; done += DIGEST_SIZE) {
    // T(i) = HMAC(key, T(i-1) | info | i), T(0) empty
    resume(HMAC_INNER);
    if (done > 0) update(DIGEST, DIGEST_SIZE); // public: which block this is
    update(CHUNK + keyLength, infoLength);
    store<u8>(HKDF_BLOCK, counter);
    update(HKDF_BLOCK, 1);
    finishMac(DIGEST);
    memory.copy(OKM + done, DIGEST, min<usize>(DIGEST_SIZE, length - done));
    counter++;
  }
  memory.fill(DIGEST, 0, DIGEST_SIZE);
  memory.fill(CHUNK, 0, keyLength + infoLength);
  forget();
}
