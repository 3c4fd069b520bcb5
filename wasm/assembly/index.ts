/**
 * What the module exports: operations, and the addresses of the doors through which JavaScript hands bytes in and
 * takes them out. Only wasm/kernel.ts may use them. Nothing is imported: the module can ask nothing of anybody.
 */
export { aeadOpen, aeadSeal, sealedCount } from './aead';
export { hkdfExpand, hmacBegin, hmacFinish } from './hkdf';
export {
  AD, AD_MAX, CHUNK, CHUNK_MAX, DIGEST, DSA_PUBLIC, DSA_RANDOM, DSA_SEED, DSA_SIGNATURE, FRAME_COUNT, FRAME_HEAD, FRAME_SIZE, FRAME_TEXT_MAX, FRAMES, KEM_CIPHERTEXT, KEM_DK, KEM_EK, KEM_KEY_COUNT, KEM_MESSAGE, KEM_SECRET, KEM_SEED,
  KEY, NONCE, OKM, OKM_MAX, OPEN_TEXT, POINT, SCALAR, SEAL_TEXT, SHARED, SLOT_COUNT, SLOT_SIZE, SLOTS, TEXT_MAX, wipe,
} from './memory';
export { mldsaGenerate, mldsaSign, mldsaVerify } from './mldsa/mldsa';
export { mlkemExport, mlkemImport } from './mlkem/expanded';
export { mlkemDecapsulate, mlkemEncapsulate, mlkemForget, mlkemGenerate } from './mlkem/mlkem';
export { hashBegin, hashFinish, hashUpdate } from './sha256';
export { OPENS, SEALS, slotFill, slotOpen, slotSeal, slotWipe } from './slots';
export { x25519 } from './x25519';
