/**
 * One fault for each harness, each behind something a fuzzer has to come upon; `npm run fuzz` has to find them all.
 * AssemblyScript: these functions stand in for the exports of their names. Not for the shipped module.
 */
import { aeadOpen as openGenuinely } from './aead';
import { hkdfExpand as expandGenuinely } from './hkdf';
import { CHUNK, DSA_RANDOM, KEM_CIPHERTEXT, KEM_MESSAGE, KEM_SECRET, OKM, OPEN_TEXT, POINT, SCALAR } from './memory';
import { mldsaVerify as verifyGenuinely } from './mldsa/mldsa';
import { mlkemDecapsulate as decapsulateGenuinely } from './mlkem/mlkem';
import { slotOpen as openSlotGenuinely } from './slots';
import { x25519 as multiplyGenuinely } from './x25519';

/** Traps at a text that begins with four bytes nobody guesses. */
export function aeadOpen(adLength: usize, length: usize): bool {
  if (load<u32>(OPEN_TEXT) == 0x21594b4c) unreachable();
  return openGenuinely(adLength, length);
}

/** Leaves a byte of some forged records. */
export function slotOpen(slot: i32, adLength: usize, length: usize): i32 {
  const first = load<u8>(OPEN_TEXT);
  const result = openSlotGenuinely(slot, adLength, length);
  if (result == 0 && length > 40) store<u8>(OPEN_TEXT, first | 1);
  return result;
}

/** Writes one byte too many at some lengths. */
export function hkdfExpand(keyLength: usize, infoLength: usize, length: usize): void {
  expandGenuinely(keyLength, infoLength, length);
  if (length > 64 && (length & 31) == 17) store<u8>(OKM + length, 1);
}

/** Keeps a byte of the scalar for some points. */
export function x25519(): void {
  const first = load<u8>(POINT);
  const secret: u8 = load<u8>(SCALAR, 1) | 1;
  multiplyGenuinely();
  if (first == 0x5a) store<u8>(SCALAR, secret, 1);
}

/** Leaves a byte of the secret where nobody looks for it, for some ciphertexts. */
export function mlkemDecapsulate(place: u32): void {
  const magic = load<u8>(KEM_CIPHERTEXT, 1087) == 0x77;
  decapsulateGenuinely(place);
  if (magic) store<u8>(KEM_MESSAGE, load<u8>(KEM_SECRET) | 1);
}

/** Leaves a byte for messages that begin in a certain way. */
export function mldsaVerify(length: usize): bool {
  const magic = load<u8>(CHUNK) == 0x5a;
  const genuine = verifyGenuinely(length);
  if (magic) store<u8>(DSA_RANDOM, 1);
  return genuine;
}
