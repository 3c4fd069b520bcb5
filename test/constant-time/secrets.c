/*
 * Every operation once or more with its secrets marked undefined, under valgrind's memcheck, which then reports each
 * branch on a secret and (the generated code compares every address with the memory's size) each address made of one.
 * What is public by then is declared so after the operation; in the middle of one, only rho is (see wasm_rt_entered).
 *
 * The names of the functions here are the names of the operations in check.ts.
 */
#include <stdlib.h>
#include <valgrind/memcheck.h>

#include "kernel.h"

w2c_latchkey kernel;

enum { KEY_BYTES = 32, NONCE_BYTES = 12, TAG_BYTES = 16, AD_BYTES = 13 };
enum { EK = 1184, CIPHERTEXT = 1088, SECRET_BYTES = 32, SEED = 64, RHO_AT = 1152, PLACE = 1 };
enum { DSA_PUBLIC_BYTES = 1952 };

/* Around each stride of the ciphers and the hash, and with more than one of each. */
static const uint32_t lengths[] = {0, 1, 15, 16, 17, 55, 56, 64, 192, 193, 448, 449, 1000};
#define EACH_LENGTH(name) for (size_t name = 0; name < sizeof lengths / sizeof lengths[0]; name++)

static void secret(uint8_t *at, size_t count) { VALGRIND_MAKE_MEM_UNDEFINED(at, count); }

/* All that an operation has left. */
static void everything_is_public(void) {
  VALGRIND_MAKE_MEM_DEFINED(&kernel, sizeof kernel);
  VALGRIND_MAKE_MEM_DEFINED(kernel.w2c_memory.data, kernel.w2c_memory.size);
}

static void put(uint8_t *at, size_t count, uint8_t from) {
  for (size_t i = 0; i < count; i++) at[i] = (uint8_t)(from + i * 37 + (i >> 3));
}

/*
 * ML-KEM's rho is made from the secret seed and published in the encapsulation key; the sampling of the matrix
 * branches on it. Its value is known here from a run without secrets: as soon as it stands in the memory, it is
 * declared public there, and nothing else is.
 */
static uint8_t rho[32];
static int rho_is_awaited;

static void declare_rho(void) {
  VALGRIND_DISABLE_ERROR_REPORTING;
  for (uint8_t *at = kernel.w2c_memory.data; at <= kernel.w2c_memory.data + kernel.w2c_memory.size - 32; at += 8) {
    if (memcmp(at, rho, 8) != 0 || memcmp(at, rho, 32) != 0) continue;
    VALGRIND_MAKE_MEM_DEFINED(at, 32);
    rho_is_awaited = 0;
  }
  VALGRIND_ENABLE_ERROR_REPORTING;
}

uint32_t *wasm_rt_entered(void) {
  static uint32_t depth;
  if (rho_is_awaited) declare_rho();
  return &depth;
}

static void give_key_and_nonce(void) {
  put(DOOR(KEY), KEY_BYTES, 1);
  put(DOOR(NONCE), NONCE_BYTES, 2);
  put(DOOR(AD), AD_BYTES, 3);
  secret(DOOR(KEY), KEY_BYTES);
}

__attribute__((noinline)) static void aead_seal(uint32_t length) {
  give_key_and_nonce();
  put(DOOR(SEAL_TEXT), length, 4);
  secret(DOOR(SEAL_TEXT), length);
  CALL(aeadSeal, AD_BYTES, length);
  everything_is_public();
}

__attribute__((noinline)) static void aead_open(uint32_t length, uint8_t flip) {
  memcpy(DOOR(OPEN_TEXT), DOOR(SEAL_TEXT), length + TAG_BYTES);
  DOOR(OPEN_TEXT)[length + TAG_BYTES - 1] ^= flip;
  give_key_and_nonce();
  uint32_t genuine = CALL(aeadOpen, AD_BYTES, length);
  VALGRIND_MAKE_MEM_DEFINED(&genuine, sizeof genuine);
  everything_is_public();
  if (genuine != (flip == 0)) abort();
}

static void fill_slot(uint32_t slot, uint32_t kind) {
  put(DOOR(KEY), KEY_BYTES, 5);
  secret(DOOR(KEY), KEY_BYTES);
  CALL(slotFill, slot, kind);
}

__attribute__((noinline)) static void record_seal(uint32_t length) {
  fill_slot(1, CONSTANT(SEALS));
  put(DOOR(SEAL_TEXT), length, 6);
  secret(DOOR(SEAL_TEXT), length);
  const uint32_t done = CALL(slotSeal, 1, CONSTANT(SEAL_TEXT), AD_BYTES, length);
  if (done != 1) abort();
  everything_is_public();
}

__attribute__((noinline)) static void record_open(uint32_t length, uint8_t flip) {
  memcpy(DOOR(OPEN_TEXT), DOOR(SEAL_TEXT), length + TAG_BYTES);
  DOOR(OPEN_TEXT)[length] ^= flip;
  fill_slot(2, CONSTANT(OPENS));
  uint32_t done = CALL(slotOpen, 2, AD_BYTES, length);
  VALGRIND_MAKE_MEM_DEFINED(&done, sizeof done);
  everything_is_public();
  if (done != (flip == 0)) abort();
}

static void hash_secret(uint32_t length) {
  put(DOOR(CHUNK), length, 7);
  secret(DOOR(CHUNK), length);
  CALL(hashUpdate, length);
}

__attribute__((noinline)) static void sha256(uint32_t length) {
  CALL(hashBegin);
  hash_secret(length);
  hash_secret(length);
  CALL(hashFinish);
  everything_is_public();
}

__attribute__((noinline)) static void hmac(uint32_t key_length, uint32_t length) {
  put(DOOR(CHUNK), key_length, 8);
  secret(DOOR(CHUNK), key_length);
  CALL(hmacBegin, key_length);
  hash_secret(length);
  CALL(hmacFinish);
  everything_is_public();
}

__attribute__((noinline)) static void hkdf_expand(uint32_t key_length, uint32_t length) {
  put(DOOR(CHUNK), key_length + 20, 9);
  secret(DOOR(CHUNK), key_length);
  CALL(hkdfExpand, key_length, 20, length);
  everything_is_public();
}

__attribute__((noinline)) static void x25519(uint8_t which) {
  put(DOOR(SCALAR), 32, which);
  put(DOOR(POINT), 32, 11);
  secret(DOOR(SCALAR), 32);
  CALL(x25519);
  everything_is_public();
}

/* The key stays in its place and stays secret; the encapsulation key is published. */
__attribute__((noinline)) static void mlkem_generate(void) {
  put(DOOR(KEM_SEED), SEED, 12);
  CALL(mlkemGenerate, PLACE);
  memcpy(rho, DOOR(KEM_EK) + RHO_AT, sizeof rho);
  memset(DOOR(KEM_EK), 0, EK);
  CALL(mlkemForget, PLACE);
  put(DOOR(KEM_SEED), SEED, 12);
  secret(DOOR(KEM_SEED), SEED);
  rho_is_awaited = 1;
  CALL(mlkemGenerate, PLACE);
  if (rho_is_awaited) abort();
  VALGRIND_MAKE_MEM_DEFINED(DOOR(KEM_EK), EK);
}

__attribute__((noinline)) static void mlkem_encapsulate(void) {
  put(DOOR(KEM_MESSAGE), 32, 13);
  secret(DOOR(KEM_MESSAGE), 32);
  const uint32_t taken = CALL(mlkemEncapsulate);
  if (taken != 1) abort();
  VALGRIND_MAKE_MEM_DEFINED(DOOR(KEM_CIPHERTEXT), CIPHERTEXT);
}

/* With the secret key that mlkem_generate left in the module. */
__attribute__((noinline)) static void mlkem_decapsulate(uint8_t flip) {
  DOOR(KEM_CIPHERTEXT)[CIPHERTEXT - 1] ^= flip;
  CALL(mlkemDecapsulate, PLACE);
}

static void give_dsa_seed(void) {
  put(DOOR(DSA_SEED), 32, 14);
  put(DOOR(DSA_RANDOM), 32, 15);
}

/* The public key is published, rho with it, which is known here from a run without secrets. */
__attribute__((noinline)) static void mldsa_generate(void) {
  give_dsa_seed();
  CALL(mldsaGenerate);
  memcpy(rho, DOOR(DSA_PUBLIC), sizeof rho);
  memset(DOOR(DSA_PUBLIC), 0, DSA_PUBLIC_BYTES);
  give_dsa_seed();
  secret(DOOR(DSA_SEED), 32);
  rho_is_awaited = 1;
  CALL(mldsaGenerate);
  if (rho_is_awaited) abort();
  everything_is_public();
}

/* Under the key whose rho mldsa_generate has found; the message is public, the randomness is not. */
__attribute__((noinline)) static void mldsa_sign(uint32_t length) {
  memset(DOOR(DSA_PUBLIC), 0, DSA_PUBLIC_BYTES);
  give_dsa_seed();
  put(DOOR(CHUNK), length, 16);
  secret(DOOR(DSA_SEED), 32);
  secret(DOOR(DSA_RANDOM), 32);
  rho_is_awaited = 1;
  CALL(mldsaSign, length);
  if (rho_is_awaited) abort();
  everything_is_public();
}

static void records(void) {
  EACH_LENGTH(i) {
    aead_seal(lengths[i]);
    aead_open(lengths[i], 0);
    aead_open(lengths[i], 1);
    record_seal(lengths[i]);
    record_open(lengths[i], 0);
    record_open(lengths[i], 1);
  }
}

static void hashes(void) {
  EACH_LENGTH(i) {
    sha256(lengths[i]);
    hmac(lengths[i], 40);
    hmac(32, lengths[i]);
    hkdf_expand(32, lengths[i]);
  }
}

static void key_exchange(void) {
  x25519(10);
  x25519(200);
  mlkem_generate();
  mlkem_encapsulate();
  mlkem_decapsulate(0);
  mlkem_decapsulate(1);
  CALL(mlkemForget, PLACE);
}

static void signatures(void) {
  mldsa_generate();
  mldsa_sign(1);
  mldsa_sign(300);
}

int main(void) {
  wasm2c_latchkey_instantiate(&kernel);
  records();
  hashes();
  key_exchange();
  signatures();
  /* Without valgrind the marks are nothing, and silence would prove nothing. */
  return RUNNING_ON_VALGRIND ? 0 : 2;
}
