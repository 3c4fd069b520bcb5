/**
 * Every byte the module ever writes: one arena, laid out by hand, so that one fill wipes all of it and a test can
 * compare the whole of it with a fresh instance. No heap, no allocation, no garbage collector; the memory never grows.
 *
 * Three kinds of region: *doors* that JavaScript writes to and reads from (exported, see wasm/kernel.ts), *slots*
 * that hold the keys of the open directions, and *scratch* that each operation wipes before it returns.
 *
 * Not for tables of constants: those stand beside the kernels that read them and hold nothing secret.
 */

/** The longest text a record or packet may have, and the longest additional data. */
export const TEXT_MAX: usize = 65536;
export const AD_MAX: usize = 16384;
/** Hash input passes through the door in pieces of this size. */
export const CHUNK_MAX: usize = 16384;
/** 255 blocks, RFC 5869 section 2.3. */
export const OKM_MAX: usize = 8160;
/** Slot 0 is lent to keys that found no slot of their own (wasm/kernel.ts). */
export const SLOT_COUNT: usize = 4096;
/** key 32 | counter u64 | kind u32, padded to a cache line. */
export const SLOT_SIZE: usize = 64;

const TAG: usize = 16;
/** Room to pad a text to whole Poly1305 blocks in place, then to hold its tag. */
const TEXT_ROOM: usize = TEXT_MAX + 2 * TAG;

const ARENA_SIZE: usize = 835504;
const ARENA: usize = memory.data(835504 /* a literal, as the compiler asks; the size is checked in wipe() */, 16);

// Doors.
export const SEAL_TEXT: usize = ARENA;
export const OPEN_TEXT: usize = SEAL_TEXT + TEXT_ROOM;
export const AD: usize = OPEN_TEXT + TEXT_ROOM;
export const KEY: usize = AD + AD_MAX + TAG;
export const NONCE: usize = KEY + 32;
export const CHUNK: usize = NONCE + 16;
export const DIGEST: usize = CHUNK + CHUNK_MAX;
export const OKM: usize = DIGEST + 32;
export const SCALAR: usize = OKM + OKM_MAX;
export const POINT: usize = SCALAR + 32;
export const SHARED: usize = POINT + 32;
/** d 32 | z 32. */
export const KEM_SEED: usize = SHARED + 32;
export const KEM_MESSAGE: usize = KEM_SEED + 64;
export const KEM_SECRET: usize = KEM_MESSAGE + 32;
export const KEM_CIPHERTEXT: usize = KEM_SECRET + 32;
export const KEM_EK: usize = KEM_CIPHERTEXT + 1088;
/** dk_pke 1152 | ek 1184 | H(ek) 32 | z 32, FIPS 203 section 7.1. For the published vectors alone (mlkem/expanded.ts). */
export const KEM_DK: usize = KEM_EK + 1184;

// Slots.
export const SLOTS: usize = KEM_DK + 2400 + 32;

// Scratch of the record cipher: ChaCha20 state, 256 bytes of key stream, Poly1305 state, the two tags to compare.
export const CHACHA_STATE: usize = SLOTS + SLOT_COUNT * SLOT_SIZE;
export const CHACHA_STREAM: usize = CHACHA_STATE + 256;
export const POLY_STATE: usize = CHACHA_STREAM + 256;
export const TAG_WANTED: usize = POLY_STATE + 112;
export const TAG_RECEIVED: usize = TAG_WANTED + TAG;
export const AEAD_SCRATCH: usize = CHACHA_STATE;
export const AEAD_SCRATCH_SIZE: usize = TAG_RECEIVED + TAG - CHACHA_STATE;

// Scratch of SHA-256, HMAC and HKDF.
export const SHA_STATE: usize = AEAD_SCRATCH + AEAD_SCRATCH_SIZE;
export const SHA_BLOCK: usize = SHA_STATE + 32;
export const SHA_WORDS: usize = SHA_BLOCK + 64;
export const HMAC_PAD: usize = SHA_WORDS + 256;
export const HMAC_INNER: usize = HMAC_PAD + 64;
export const HMAC_OUTER: usize = HMAC_INNER + 32;
export const HKDF_BLOCK: usize = HMAC_OUTER + 32;
export const HASH_SCRATCH: usize = SHA_STATE;
export const HASH_SCRATCH_SIZE: usize = HKDF_BLOCK + 48 - SHA_STATE;

// Scratch of X25519: pairs of field elements of ten 32-bit limbs.
export const FIELD: usize = HASH_SCRATCH + HASH_SCRATCH_SIZE;
export const FIELD_SIZE: usize = 80;
export const FIELD_COUNT: usize = 16;

// Scratch of ML-KEM: two sponges side by side, then polynomials (256 coefficients of 16 bits).
export const POLY: usize = 512;
export const VECTOR: usize = 3 * POLY;
export const KECCAK: usize = FIELD + FIELD_SIZE * FIELD_COUNT;
export const KECCAK_OTHER: usize = KECCAK + 400;
export const XOF_OUTPUT: usize = KECCAK_OTHER + 400;
/** rho | sigma, or K | r. */
export const KEM_PAIR: usize = XOF_OUTPUT + 176;
export const KEM_REJECT: usize = KEM_PAIR + 64;
export const KEM_PLAIN: usize = KEM_REJECT + 32;
export const KEM_AGAIN: usize = KEM_PLAIN + 32;
/** s and e, or y, e1, e2 and one that nobody uses, since they are made in pairs. */
export const NOISE: usize = KEM_AGAIN + 1088;
export const NOISE_COUNT: usize = 8;
/** A vector with its odd coefficients multiplied by their gamma, see mlkem/ntt.ts. */
export const PREPARED: usize = NOISE + NOISE_COUNT * POLY;
export const VECTOR_U: usize = PREPARED + VECTOR;
export const POLY_V: usize = VECTOR_U + VECTOR;
export const POLY_W: usize = POLY_V + POLY;
export const KEM_SCRATCH: usize = KECCAK;
export const KEM_SCRATCH_SIZE: usize = POLY_W + POLY - KECCAK;

/**
 * ML-KEM keys in the form that is computed with: s-hat and t-hat 1536 each | A-hat 4608 | rho 32 | H(ek) 32 | z 32.
 * Key 0 is lent to whatever is done at once; the others wait for the answer to an offer (wasm/kernel.ts).
 */
export const KEM_KEYS: usize = KEM_SCRATCH + KEM_SCRATCH_SIZE;
export const KEM_KEY_COUNT: usize = 5;
export const KEM_T: usize = VECTOR;
export const KEM_A: usize = KEM_T + VECTOR;
export const KEM_RHO: usize = KEM_A + 3 * VECTOR;
export const KEM_HASH: usize = KEM_RHO + 32;
export const KEM_Z: usize = KEM_HASH + 32;
export const KEM_KEY_SIZE: usize = KEM_Z + 32;
/** Where records are sealed and sent from: head | text | tag each, see wasm/frames.ts. What lies here is ciphertext. */
export const FRAMES: usize = KEM_KEYS + KEM_KEY_COUNT * KEM_KEY_SIZE;
export const FRAME_COUNT: usize = 16;
export const FRAME_HEAD: usize = 16;
/** docs/protocol.md, "Records": the longest plaintext. */
export const FRAME_TEXT_MAX: usize = 16384;
export const FRAME_SIZE: usize = FRAME_HEAD + FRAME_TEXT_MAX + 2 * TAG;

// ML-DSA: its doors, then scratch of polynomials with 256 coefficients of 32 bits. Messages pass through CHUNK.
export const DSA_PUBLIC: usize = FRAMES + FRAME_COUNT * FRAME_SIZE;
/** 3309 bytes, in a room of whole words. */
export const DSA_SIGNATURE: usize = DSA_PUBLIC + 1952;
/** xi of FIPS 204 algorithm 6, and rnd of algorithm 7. */
export const DSA_SEED: usize = DSA_SIGNATURE + 3312;
export const DSA_RANDOM: usize = DSA_SEED + 32;
export const DSA_POLY: usize = 1024;
/** rho 32 | rho' 64 | K 32. */
export const DSA_EXPANDED: usize = DSA_RANDOM + 32;
export const DSA_TR: usize = DSA_EXPANDED + 128;
/** mu 64, with the encoded w1 behind it: what the challenge is the hash of. */
export const DSA_MU: usize = DSA_TR + 64;
export const DSA_W1: usize = DSA_MU + 64;
/** K 32 | rnd 32 | mu 64, and what becomes of it: rho'' 64. */
export const DSA_MASK_SEED: usize = DSA_W1 + 768;
export const DSA_CHALLENGE: usize = DSA_MASK_SEED + 128;
/** Five blocks of each sponge. */
export const DSA_XOF: usize = DSA_CHALLENGE + 48;
export const DSA_XOF_SIZE: usize = 688;
export const DSA_A: usize = DSA_XOF + 2 * DSA_XOF_SIZE;
export const DSA_S1: usize = DSA_A + 30 * DSA_POLY;
export const DSA_S2: usize = DSA_S1 + 5 * DSA_POLY;
export const DSA_T0: usize = DSA_S2 + 6 * DSA_POLY;
/** y and the polynomial that is made beside its last one. */
export const DSA_Y: usize = DSA_T0 + 6 * DSA_POLY;
export const DSA_Z: usize = DSA_Y + 6 * DSA_POLY;
export const DSA_W: usize = DSA_Z + 5 * DSA_POLY;
export const DSA_HINT: usize = DSA_W + 6 * DSA_POLY;
export const DSA_C: usize = DSA_HINT + 6 * DSA_POLY;
export const DSA_T: usize = DSA_C + DSA_POLY;
export const DSA_SCRATCH: usize = DSA_EXPANDED;
export const DSA_SCRATCH_SIZE: usize = DSA_T + DSA_POLY - DSA_EXPANDED;
const END: usize = DSA_SCRATCH + DSA_SCRATCH_SIZE;

/** Forgets every key, every text and every intermediate value. The count of sealed records stays. */
export function wipe(): void {
  if (END - ARENA != ARENA_SIZE) ERROR('the arena and its regions disagree'); // public: a check by the compiler
  memory.fill(ARENA, 0, ARENA_SIZE);
}
