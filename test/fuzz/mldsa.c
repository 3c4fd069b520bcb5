/*
 * ML-DSA-65 (FIPS 204) against a hostile peer: a signature that is overwritten in part is refused, whatever was written;
 * a hostile key, message or signature traps nothing and leaves nothing.
 */
#include "fuzz.h"

enum { KEY = 1952, SIGNATURE = 3309, SEED = 32, MESSAGE = 100 };

static uint8_t genuine_key[KEY], genuine[SIGNATURE], genuine_message[MESSAGE];

static uint32_t verify(const uint8_t *key, const uint8_t *message, uint32_t count, const uint8_t *signature) {
  memcpy(DOOR(DSA_PUBLIC), key, KEY);
  memcpy(DOOR(DSA_SIGNATURE), signature, SIGNATURE);
  memcpy(DOOR(CHUNK), message, count);
  const uint32_t verdict = CALL(mldsaVerify, count);
  PUT_BACK({DOOR(DSA_PUBLIC), KEY}, {DOOR(DSA_SIGNATURE), SIGNATURE}, {DOOR(CHUNK), count});
  return verdict;
}

/* One key and one signature for all inputs: what is fuzzed is verification. */
static void sign_once(void) {
  if (!is_zero(genuine_key, KEY)) return;
  for (int i = 0; i < MESSAGE; i++) genuine_message[i] = (uint8_t)(i * 7);
  memset(DOOR(DSA_SEED), 5, SEED);
  memset(DOOR(DSA_RANDOM), 6, SEED);
  memcpy(DOOR(CHUNK), genuine_message, MESSAGE);
  CALL(mldsaSign, MESSAGE);
  memcpy(genuine_key, DOOR(DSA_PUBLIC), KEY);
  memcpy(genuine, DOOR(DSA_SIGNATURE), SIGNATURE);
  PUT_BACK({DOOR(DSA_PUBLIC), KEY}, {DOOR(DSA_SIGNATURE), SIGNATURE}, {DOOR(CHUNK), MESSAGE});
  REQUIRE(verify(genuine_key, genuine_message, MESSAGE, genuine) == 1);
}

static void hostile_signature(input *in) {
  uint8_t signature[SIGNATURE];
  memcpy(signature, genuine, SIGNATURE);
  /* Half of them in the hint, which is what has a structure. */
  const size_t first = byte(in) & 1 ? SIGNATURE - 61 : 0;
  const size_t from = first + (byte(in) | byte(in) << 8) % (SIGNATURE - first);
  fill(signature + from, length(in, SIGNATURE - from), in);
  const int changed = memcmp(signature, genuine, SIGNATURE) != 0;
  REQUIRE(verify(genuine_key, genuine_message, MESSAGE, signature) == (uint32_t)!changed);
}

static void hostile_all(input *in) {
  static uint8_t key[KEY], signature[SIGNATURE], message[16384];
  const uint32_t count = length(in, sizeof message);
  fill(message, count, in);
  fill(key, KEY, in);
  memcpy(signature, genuine, SIGNATURE); /* behind its bounds, so that the rest of it is run */
  fill(signature, length(in, 48), in);
  REQUIRE(verify(key, message, count, signature) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input in = {data, size};
  sign_once();
  if (byte(&in) & 1) hostile_signature(&in);
  else hostile_all(&in);
  require_as_loaded();
  return 0;
}
