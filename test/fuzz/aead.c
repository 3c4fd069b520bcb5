/* aeadSeal and aeadOpen, the doors of WireGuard's packets (RFC 8439 section 2.8): any key, nonce, data and lengths. */
#include "fuzz.h"

enum { KEY_BYTES = 32, NONCE_BYTES = 12, TAG_BYTES = 16, BLOCK = 16, STALE = 200 };

static uint8_t key[KEY_BYTES], nonce[NONCE_BYTES], ad[1 << 15], text[1 << 17], sealed[1 << 17], again[1 << 17], opened[1 << 17];

/* `stale` is what a longer text has left behind this one: it may not matter, and it may not be touched. */
static void give(uint8_t *door, const uint8_t *bytes, size_t count, uint8_t stale) {
  memcpy(door, bytes, count);
  memset(door + count, stale, STALE);
}

static void require_stale(const uint8_t *door, size_t from, size_t to, uint8_t stale) {
  for (size_t i = from; i < to; i++) REQUIRE(door[i] == stale);
}

static void give_key(void) {
  memcpy(DOOR(KEY), key, KEY_BYTES);
  memcpy(DOOR(NONCE), nonce, NONCE_BYTES);
}

static void seal(uint32_t ad_length, uint32_t text_length, uint8_t stale, uint8_t *out) {
  give(DOOR(AD), ad, ad_length, stale);
  give(DOOR(SEAL_TEXT), text, text_length, stale);
  give_key();
  CALL(aeadSeal, ad_length, text_length);
  memcpy(out, DOOR(SEAL_TEXT), text_length + TAG_BYTES);
  require_stale(DOOR(SEAL_TEXT), text_length + BLOCK + TAG_BYTES, text_length + STALE, stale);
  require_stale(DOOR(AD), ad_length + BLOCK, ad_length + STALE, stale);
  PUT_BACK({DOOR(AD), ad_length + STALE}, {DOOR(SEAL_TEXT), text_length + STALE});
}

static uint32_t open(uint32_t ad_length, uint32_t text_length, const uint8_t *from) {
  memcpy(DOOR(AD), ad, ad_length);
  memcpy(DOOR(OPEN_TEXT), from, text_length + TAG_BYTES);
  give_key();
  const uint32_t genuine = CALL(aeadOpen, ad_length, text_length);
  if (genuine == 1) memcpy(opened, DOOR(OPEN_TEXT), text_length);
  else REQUIRE(is_zero(DOOR(OPEN_TEXT), text_length + TAG_BYTES)); /* no byte of a forgery is left */
  PUT_BACK({DOOR(AD), ad_length + BLOCK}, {DOOR(OPEN_TEXT), text_length + BLOCK + TAG_BYTES});
  return genuine;
}

/* Flips one bit of something the tag covers. @returns whether there was anything to flip. */
static int flip(uint8_t *bytes, size_t count, uint32_t bit) {
  if (count == 0) return 0;
  bytes[(bit >> 3) % count] ^= 1 << (bit & 7);
  return 1;
}

static void forge(uint32_t ad_length, uint32_t text_length, uint32_t what, uint32_t bit) {
  struct {
    uint8_t *bytes;
    size_t count;
  } covered[] = {
      {sealed, text_length}, {sealed + text_length, TAG_BYTES}, {ad, ad_length}, {key, KEY_BYTES}, {nonce, NONCE_BYTES}};
  const int flipped = flip(covered[what % 5].bytes, covered[what % 5].count, bit);
  if (flipped) REQUIRE(open(ad_length, text_length, sealed) == 0);
  if (ad_length > 0) REQUIRE(open(ad_length - 1, text_length, sealed) == 0);
  if (text_length > 0) REQUIRE(open(ad_length, text_length - 1, sealed) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input in = {data, size};
  const uint32_t ad_length = length(&in, CONSTANT(AD_MAX) - STALE);
  const uint32_t text_length = length(&in, CONSTANT(TEXT_MAX) - STALE);
  const uint32_t what = byte(&in), bit = byte(&in) | byte(&in) << 8 | byte(&in) << 16;
  fill(text, text_length + TAG_BYTES, &in);
  fill(ad, ad_length, &in);
  fill(key, KEY_BYTES, &in);
  fill(nonce, NONCE_BYTES, &in);

  REQUIRE(open(ad_length, text_length, text) == 0); /* nobody guesses a tag */
  seal(ad_length, text_length, 0, sealed);
  seal(ad_length, text_length, 0xa5, again);
  REQUIRE(memcmp(sealed, again, text_length + TAG_BYTES) == 0);
  REQUIRE(open(ad_length, text_length, sealed) == 1);
  REQUIRE(memcmp(opened, text, text_length) == 0);
  forge(ad_length, text_length, what, bit);
  require_as_loaded();
  return 0;
}
