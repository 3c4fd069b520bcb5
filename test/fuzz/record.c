/*
 * slotFill, slotSeal, slotOpen and slotWipe, the doors of the tunnel's records: any order of calls over any slot
 * numbers, beside a model that knows what each slot holds and how many records it has passed.
 */
#include "fuzz.h"

enum { SLOTS_USED = 4, KEYS = 3, KEY_BYTES = 32, TAG_BYTES = 16, TEXT = 700, AD_ROOM = 40, STEPS = 24 };
enum { DONE = 1, FORGED = 0, REFUSED = -1 };

typedef struct {
  uint32_t kind;
  int key;
  uint64_t count;
} slot;

/* What was sealed last, and what of it arrives. */
typedef struct {
  int made, key;
  uint64_t count;
  uint32_t ad_length, length;
  uint8_t ad[AD_ROOM], text[TEXT], sealed[TEXT + TAG_BYTES], received[TEXT + TAG_BYTES];
} record;

static slot slots[SLOTS_USED];
static record last;

/* The slots of the model lie at both ends of the table; other numbers are beyond it. */
static uint32_t number(uint32_t index) {
  const uint32_t numbers[] = {0, 1, CONSTANT(SLOT_COUNT) - 1, 7, CONSTANT(SLOT_COUNT), 0xffffffff, 0x80000000, 1 << 26};
  return numbers[index];
}

static void fill_slot(uint32_t index, uint32_t kind, int key) {
  memset(DOOR(KEY), 0x40 + key, KEY_BYTES);
  CALL(slotFill, number(index), kind);
  if (index < SLOTS_USED) {
    REQUIRE(is_zero(DOOR(KEY), KEY_BYTES));
    slots[index] = (slot){kind, key, 0};
  }
  memset(DOOR(KEY), 0, KEY_BYTES);
}

static void wipe_slot(uint32_t index) {
  CALL(slotWipe, number(index));
  if (index >= SLOTS_USED) return;
  slots[index] = (slot){0, 0, 0};
  REQUIRE(is_zero(DOOR(SLOTS) + number(index) * CONSTANT(SLOT_SIZE), CONSTANT(SLOT_SIZE)));
}

static int holds(uint32_t index, uint32_t kind) { return index < SLOTS_USED && slots[index].kind == kind; }

static void seal(uint32_t index, input *in) {
  record made = {.made = 1, .ad_length = byte(in) % AD_ROOM, .length = length(in, TEXT)};
  fill(made.ad, made.ad_length, in);
  fill(made.text, made.length, in);
  memcpy(DOOR(AD), made.ad, made.ad_length);
  memcpy(DOOR(SEAL_TEXT), made.text, made.length);
  const int32_t result = (int32_t)CALL(slotSeal, number(index), CONSTANT(SEAL_TEXT), made.ad_length, made.length);
  if (!holds(index, CONSTANT(SEALS))) {
    REQUIRE(result == REFUSED);
    REQUIRE(memcmp(DOOR(SEAL_TEXT), made.text, made.length) == 0);
    return;
  }
  REQUIRE(result == DONE);
  memcpy(made.sealed, DOOR(SEAL_TEXT), made.length + TAG_BYTES);
  memcpy(made.received, made.sealed, made.length + TAG_BYTES);
  made.key = slots[index].key;
  made.count = slots[index].count++;
  last = made;
}

/* A second time at the same bit it is genuine again. */
static void forge(input *in) {
  const uint32_t bit = byte(in) | byte(in) << 8;
  last.received[(bit >> 3) % (last.length + TAG_BYTES)] ^= 1 << (bit & 7);
}

static int opens(const slot *held) {
  const int as_sealed = last.made && memcmp(last.received, last.sealed, last.length + TAG_BYTES) == 0;
  return as_sealed && last.key == held->key && last.count == held->count;
}

static void open(uint32_t index) {
  memcpy(DOOR(AD), last.ad, last.ad_length);
  memcpy(DOOR(OPEN_TEXT), last.received, last.length + TAG_BYTES);
  const int32_t result = (int32_t)CALL(slotOpen, number(index), last.ad_length, last.length);
  if (!holds(index, CONSTANT(OPENS))) {
    REQUIRE(result == REFUSED);
    return;
  }
  const int genuine = opens(&slots[index]);
  REQUIRE(result == (genuine ? DONE : FORGED));
  if (genuine) {
    REQUIRE(memcmp(DOOR(OPEN_TEXT), last.text, last.length) == 0);
    slots[index].count++;
  } else {
    REQUIRE(is_zero(DOOR(OPEN_TEXT), last.length + TAG_BYTES));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input in = {data, size};
  memset(slots, 0, sizeof slots);
  last = (record){0};
  for (int step = 0; step < STEPS && in.left > 0; step++) {
    const uint32_t index = byte(&in) & 7, what = byte(&in);
    const uint32_t kind = (what & 8) != 0 ? CONSTANT(SEALS) : CONSTANT(OPENS);
    switch (what & 7) {
      case 0: case 1: fill_slot(index, kind, (what >> 4) % KEYS); break;
      case 2: wipe_slot(index); break;
      case 3: forge(&in); break;
      case 4: case 5: seal(index, &in); break;
      default: open(index);
    }
  }
  for (uint32_t index = 0; index < SLOTS_USED; index++) wipe_slot(index);
  PUT_BACK({DOOR(AD), AD_ROOM + 16}, {DOOR(NONCE), 12}, {DOOR(SEAL_TEXT), TEXT + 32}, {DOOR(OPEN_TEXT), TEXT + 32});
  require_as_loaded();
  return 0;
}
