/*
 * ML-KEM-768 (FIPS 203) against a hostile peer: encapsulation to any key, decapsulation of any ciphertext, and of any
 * expanded key, which the product never takes but the module's memory could come to hold.
 */
#include "fuzz.h"

enum { EK = 1184, DK = 2400, CIPHERTEXT = 1088, SECRET = 32, SEED = 64, MESSAGE = 32, Q = 3329 };

static uint8_t seed[SEED], message[MESSAGE], ek[EK], ciphertext[CIPHERTEXT];

static void generate(uint32_t place) {
  memcpy(DOOR(KEM_SEED), seed, SEED);
  CALL(mlkemGenerate, place);
  memcpy(ek, DOOR(KEM_EK), EK);
  PUT_BACK({DOOR(KEM_EK), EK});
}

/* @returns whether the key was taken; then `out` is the secret and `ciphertext` is for its owner. */
static uint32_t encapsulate(uint8_t *out) {
  memcpy(DOOR(KEM_EK), ek, EK);
  memcpy(DOOR(KEM_MESSAGE), message, MESSAGE);
  const uint32_t taken = CALL(mlkemEncapsulate);
  memcpy(out, DOOR(KEM_SECRET), SECRET);
  memcpy(ciphertext, DOOR(KEM_CIPHERTEXT), CIPHERTEXT);
  PUT_BACK({DOOR(KEM_EK), EK}, {DOOR(KEM_CIPHERTEXT), CIPHERTEXT}, {DOOR(KEM_SECRET), SECRET});
  if (!taken) REQUIRE(is_zero(ciphertext, CIPHERTEXT) && is_zero(out, SECRET)); /* nothing was made */
  return taken;
}

static void decapsulate(uint32_t place, uint8_t *out) {
  memcpy(DOOR(KEM_CIPHERTEXT), ciphertext, CIPHERTEXT);
  CALL(mlkemDecapsulate, place);
  memcpy(out, DOOR(KEM_SECRET), SECRET);
  PUT_BACK({DOOR(KEM_CIPHERTEXT), CIPHERTEXT}, {DOOR(KEM_SECRET), SECRET});
}

/* FIPS 203 section 7.2: every coefficient is below q. */
static int all_below_q(void) {
  for (int i = 0; i < 1152; i += 3) {
    if ((ek[i] | (ek[i + 1] & 15) << 8) >= Q) return 0;
    if ((ek[i + 1] >> 4 | ek[i + 2] << 4) >= Q) return 0;
  }
  return 1;
}

/* Writes hostile bytes over a part of what is genuine. @returns whether anything changed. */
static int overwrite(uint8_t *bytes, size_t count, input *in) {
  const size_t from = (byte(in) | byte(in) << 8) % count, most = count - from, part = length(in, most);
  uint8_t before[DK];
  memcpy(before, bytes, count);
  fill(bytes + from, part, in);
  return memcmp(before, bytes, count) != 0;
}

static void hostile_key(uint32_t place, input *in) {
  uint8_t secret[SECRET];
  generate(place);
  overwrite(ek, EK, in);
  REQUIRE(encapsulate(secret) == (uint32_t)all_below_q());
  CALL(mlkemForget, place);
}

static void hostile_ciphertext(uint32_t place, input *in) {
  uint8_t one[SECRET], other[SECRET];
  generate(place);
  REQUIRE(encapsulate(one) == 1);
  decapsulate(place, other);
  REQUIRE(memcmp(one, other, SECRET) == 0);
  const int changed = overwrite(ciphertext, CIPHERTEXT, in);
  decapsulate(place, other);
  REQUIRE((memcmp(one, other, SECRET) != 0) == changed); /* another secret, and never a refusal */
  decapsulate(place, one);
  REQUIRE(memcmp(one, other, SECRET) == 0);
  CALL(mlkemForget, place);
}

/* No trap and no write outside, whatever the key. */
static void hostile_expanded_key(uint32_t place, input *in) {
  uint8_t secret[SECRET];
  generate(place);
  CALL(mlkemExport, place);
  fill(ciphertext, CIPHERTEXT, in);
  overwrite(DOOR(KEM_DK), DK, in);
  if (CALL(mlkemImport, place)) decapsulate(place, secret);
  CALL(mlkemForget, place);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input in = {data, size};
  const uint32_t what = byte(&in), place = 1 + byte(&in) % (CONSTANT(KEM_KEY_COUNT) - 1); /* 0 is encapsulation's */
  fill(seed, SEED, &in);
  fill(message, MESSAGE, &in);
  switch (what % 3) {
    case 0: hostile_key(place, &in); break;
    case 1: hostile_ciphertext(place, &in); break;
    default: hostile_expanded_key(place, &in);
  }
  require_as_loaded();
  return 0;
}
