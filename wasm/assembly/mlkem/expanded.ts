/**
 * The decapsulation key as FIPS 203 section 7.1 writes it down: dk_pke 1152 | ek 1184 | H(ek) 32 | z 32.
 *
 * Not for the product, in which no such key exists: an expanded key of another's making is what breaks ML-KEM's binding
 * (docs/protocol.md). It stands here so that the published vectors can judge the module that is shipped.
 */
import { KEM_DK, KEM_HASH, KEM_Z } from '../memory';
import { decodePublic, decodeVector, encodePublic, encodeVector } from './kpke';
import { differenceMask, forgetScratch, hashKey, keyAt, mlkemForget } from './mlkem';

/** Where the parts of dk stand. */
const DK_EK: usize = 1152;
const DK_HASH: usize = DK_EK + 1184;
const DK_Z: usize = DK_HASH + 32;

/** KEM_DK from the n-th key, which stays. */
export function mlkemExport(n: u32): void {
  const key = keyAt(n);
  encodeVector(KEM_DK, key);
  encodePublic(KEM_DK + DK_EK, key);
  memory.copy(KEM_DK + DK_HASH, key + KEM_HASH, 32);
  memory.copy(KEM_DK + DK_Z, key + KEM_Z, 32);
}

/**
 * The n-th key from KEM_DK, which is wiped.
 * @returns false, with no key, when the hash in KEM_DK is not that of its encapsulation key (section 7.3).
 */
export function mlkemImport(n: u32): bool {
  const key = keyAt(n);
  decodeVector(key, KEM_DK);
  decodePublic(key, KEM_DK + DK_EK);
  hashKey(key + KEM_HASH, KEM_DK + DK_EK);
  memory.copy(key + KEM_Z, KEM_DK + DK_Z, 32);
  const sound = differenceMask(key + KEM_HASH, KEM_DK + DK_HASH, 32) == 0;
  if (!sound) mlkemForget(n); // public: that a key is not broken
  memory.fill(KEM_DK, 0, DK_Z + 32);
  forgetScratch();
  return sound;
}
