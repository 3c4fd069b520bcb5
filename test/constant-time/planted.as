/**
 * One leak for each family of operations, each of another kind; `npm run check:ct` has to report them all.
 * AssemblyScript: these functions stand in for the exports of their names. Not for the shipped module.
 */
import { aeadOpen as openGenuinely, aeadSeal as sealGenuinely } from './aead';
import { hmacBegin as beginGenuinely } from './hkdf';
import { CHUNK, DIGEST, DSA_SEED, KEM_KEY_SIZE, KEM_KEYS, KEM_MESSAGE, KEM_SECRET, KEY, OPEN_TEXT, POINT, SCALAR } from './memory';
import { mldsaGenerate as makeGenuinely, mldsaSign as signGenuinely } from './mldsa/mldsa';
import { mlkemDecapsulate as decapsulateGenuinely, mlkemEncapsulate as encapsulateGenuinely, mlkemGenerate as generateGenuinely } from './mlkem/mlkem';
import { x25519 as multiplyGenuinely } from './x25519';

/** A branch on a bit of the key. */
export function aeadSeal(adLength: usize, length: usize): void {
  if (load<u8>(KEY, 31) & 1) store<u8>(DIGEST, 1);
  sealGenuinely(adLength, length);
}

/** A comparison that ends at the first difference. */
export function aeadOpen(adLength: usize, length: usize): bool {
  const genuine = openGenuinely(adLength, length);
  let equal: usize = 0;
  while (equal < length && load<u8>(OPEN_TEXT + equal) == 0) equal++;
  store<u8>(DIGEST, <u8>equal);
  return genuine;
}

/** A table read at an index that is a byte of the key. */
export function hmacBegin(length: usize): void {
  const picked = load<u8>(CHUNK + <usize>load<u8>(CHUNK));
  beginGenuinely(length);
  store<u8>(DIGEST, picked);
}

/** A time that depends on the scalar: as many rounds as its low bits say. */
export function x25519(): void {
  const rounds = <usize>load<u8>(SCALAR, 3) & 7;
  for (let i: usize = 0; i < rounds; i++) store<u8>(POINT, load<u8>(POINT));
  multiplyGenuinely();
}

/** A branch on a coefficient of the secret vector. */
export function mlkemGenerate(place: u32): void {
  generateGenuinely(place);
  if (load<u16>(KEM_KEYS + <usize>place * KEM_KEY_SIZE) & 0xfff) store<u8>(DIGEST, 0);
}

/** A choice of values, which an engine may make a branch. */
export function mlkemEncapsulate(): bool {
  const picked = select<u32>(load<u32>(KEM_MESSAGE, 4), 7, load<u32>(KEM_MESSAGE) > 1000);
  const taken = encapsulateGenuinely();
  store<u32>(DIGEST, picked);
  return taken;
}

/** Explicit rejection: a branch on the secret that came out. */
export function mlkemDecapsulate(place: u32): void {
  decapsulateGenuinely(place);
  if (load<u8>(KEM_SECRET) == 0) store<u8>(DIGEST, 0);
}

/** A branch on a bit of the seed. */
export function mldsaGenerate(): void {
  if (load<u8>(DSA_SEED) & 1) store<u8>(DIGEST, 0);
  makeGenuinely();
}

/** An address made of a byte of the seed, where some decisions are declared. */
export function mldsaSign(length: usize): void {
  const picked = load<u8>(CHUNK + <usize>load<u8>(DSA_SEED));
  signGenuinely(length);
  store<u8>(DIGEST, picked);
}
