/*
 * SHA-256, HMAC and HKDF-Expand with any lengths the doors admit. Each is held against the one below it: a hash in
 * pieces against the hash in one, HMAC against two hashes (RFC 2104), Expand against a chain of HMACs (RFC 5869).
 */
#include "fuzz.h"

enum { DIGEST_BYTES = 32, BLOCK = 64, ROOM = 1 << 15 };

static uint8_t text[ROOM], key[ROOM], info[ROOM];

static void feed(const uint8_t *bytes, size_t count) {
  memcpy(DOOR(CHUNK), bytes, count);
  CALL(hashUpdate, count);
}

static void take(uint8_t *out) {
  memcpy(out, DOOR(DIGEST), DIGEST_BYTES);
  PUT_BACK({DOOR(DIGEST), DIGEST_BYTES});
}

static void hash(uint8_t *out, const uint8_t *first, size_t first_count, const uint8_t *then, size_t then_count) {
  CALL(hashBegin);
  feed(first, first_count);
  feed(then, then_count);
  CALL(hashFinish);
  take(out);
}

static void hash_in_pieces(uint8_t *out, const uint8_t *bytes, size_t count, input *in) {
  CALL(hashBegin);
  for (size_t at = 0; at < count;) {
    const size_t left = count - at, wish = in->left > 0 ? byte(in) : left, part = wish < left ? wish : left;
    feed(bytes + at, part);
    at += part;
  }
  CALL(hashFinish);
  take(out);
}

static void hmac(uint8_t *out, size_t key_length, const uint8_t *bytes, size_t count) {
  memcpy(DOOR(CHUNK), key, key_length);
  CALL(hmacBegin, key_length);
  feed(bytes, count);
  CALL(hmacFinish);
  take(out);
}

/* RFC 2104 section 2. */
static void hmac_by_hashes(uint8_t *out, size_t key_length, const uint8_t *bytes, size_t count) {
  uint8_t pad[BLOCK] = {0}, inner[DIGEST_BYTES];
  if (key_length > BLOCK) hash(pad, key, key_length, key, 0);
  else memcpy(pad, key, key_length);
  for (int i = 0; i < BLOCK; i++) pad[i] ^= 0x36;
  hash(inner, pad, BLOCK, bytes, count);
  for (int i = 0; i < BLOCK; i++) pad[i] ^= 0x36 ^ 0x5c;
  hash(out, pad, BLOCK, inner, DIGEST_BYTES);
}

static void expand(uint8_t *out, size_t key_length, size_t info_length, size_t count) {
  memcpy(DOOR(CHUNK), key, key_length);
  memcpy(DOOR(CHUNK) + key_length, info, info_length);
  CALL(hkdfExpand, key_length, info_length, count);
  memcpy(out, DOOR(OKM), count);
  PUT_BACK({DOOR(OKM), count});
}

/* RFC 5869 section 2.3: T(n) = HMAC(key, T(n-1) | info | n). */
static void expand_by_hmacs(uint8_t *out, size_t key_length, size_t info_length, size_t count) {
  static uint8_t chained[DIGEST_BYTES + ROOM + 1];
  uint8_t digest[DIGEST_BYTES];
  size_t before = 0;
  for (size_t at = 0, turn = 1; at < count; at += DIGEST_BYTES, turn++) {
    memcpy(chained + before, info, info_length);
    chained[before + info_length] = (uint8_t)turn;
    hmac(digest, key_length, chained, before + info_length + 1);
    memcpy(out + at, digest, count - at < DIGEST_BYTES ? count - at : DIGEST_BYTES);
    memcpy(chained, digest, DIGEST_BYTES);
    before = DIGEST_BYTES;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input in = {data, size};
  const size_t most = CONSTANT(CHUNK_MAX);
  const size_t text_length = length(&in, most), key_length = length(&in, most);
  const size_t info_length = length(&in, most - key_length > 2048 ? 2048 : most - key_length);
  const size_t okm_length = length(&in, info_length > 256 ? 256 : CONSTANT(OKM_MAX));
  static uint8_t one[ROOM], other[ROOM];
  fill(key, key_length, &in);
  fill(info, info_length, &in);
  fill(text, text_length, &in);

  hash(one, text, text_length, text, 0);
  hash_in_pieces(other, text, text_length, &in);
  REQUIRE(memcmp(one, other, DIGEST_BYTES) == 0);
  hmac(one, key_length, text, text_length);
  hmac_by_hashes(other, key_length, text, text_length);
  REQUIRE(memcmp(one, other, DIGEST_BYTES) == 0);
  expand(one, key_length, info_length, okm_length);
  expand_by_hmacs(other, key_length, info_length, okm_length);
  REQUIRE(memcmp(one, other, okm_length) == 0);
  require_as_loaded();
  return 0;
}
