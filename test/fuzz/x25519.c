/*
 * X25519 (RFC 7748) with a hostile point and any scalars: the two orders of two scalars agree whatever the point is,
 * unused bits change nothing, and a coordinate above p counts as its remainder.
 */
#include "fuzz.h"

enum { SIZE = 32 };

static void multiply(uint8_t *out, const uint8_t *scalar, const uint8_t *point) {
  memcpy(DOOR(SCALAR), scalar, SIZE);
  memcpy(DOOR(POINT), point, SIZE);
  CALL(x25519);
  memcpy(out, DOOR(SHARED), SIZE);
  PUT_BACK({DOOR(SHARED), SIZE}, {DOOR(POINT), SIZE});
}

/* p = 2^255 - 19, little-endian. */
static int below_p(const uint8_t *value) {
  if (value[31] != 0x7f) return value[31] < 0x7f;
  for (int i = 30; i > 0; i--)
    if (value[i] != 0xff) return 1;
  return value[0] < 0xed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input in = {data, size};
  uint8_t point[SIZE], a[SIZE], b[SIZE], one[SIZE], other[SIZE], again[SIZE];
  fill(point, SIZE, &in);
  fill(a, SIZE, &in);
  fill(b, SIZE, &in);

  multiply(one, a, point);
  REQUIRE(below_p(one));
  multiply(one, b, one);
  multiply(other, b, point);
  multiply(other, a, other);
  REQUIRE(memcmp(one, other, SIZE) == 0);

  multiply(one, a, point);
  memcpy(again, point, SIZE);
  again[31] ^= 0x80;
  a[0] ^= byte(&in) & 7;
  a[31] ^= byte(&in) & 0xc0;
  multiply(other, a, again);
  REQUIRE(memcmp(one, other, SIZE) == 0);

  /* point + p, when that still has 255 bits: the coordinates below 19. */
  if (point[0] < 19 && is_zero(point + 1, SIZE - 2) && (point[31] & 0x7f) == 0) {
    memset(again, 0xff, SIZE);
    again[0] = (uint8_t)(0xed + point[0]);
    again[31] = 0x7f;
    multiply(other, a, again);
    REQUIRE(memcmp(one, other, SIZE) == 0);
  }
  require_as_loaded();
  return 0;
}
