/*
 * What the harnesses share: hostile bytes as an input that never runs dry, and the property that holds for each
 * operation: outside the regions it names, not one byte of the memory changes. A stray write and a secret left behind
 * are found by the same comparison.
 *
 * Every harness is one function over one input, without randomness or time, so that a finding can be repeated.
 */
#ifndef LATCHKEY_FUZZ_H
#define LATCHKEY_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"

w2c_latchkey kernel;
static w2c_latchkey loaded;
static uint8_t *loaded_memory;

#define REQUIRE(condition)                                                      \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "broken: %s (%s:%d)\n", #condition, __FILE__, __LINE__);  \
      abort();                                                                  \
    }                                                                           \
  } while (0)

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  wasm2c_latchkey_instantiate(&kernel);
  loaded = kernel;
  loaded_memory = malloc(kernel.w2c_memory.size);
  memcpy(loaded_memory, kernel.w2c_memory.data, kernel.w2c_memory.size);
  return 0;
}

typedef struct {
  const uint8_t *at;
  size_t left;
} input;

/* The next byte; zero when there is none. */
static uint32_t byte(input *in) {
  if (in->left == 0) return 0;
  in->left--;
  return *in->at++;
}

/* A length of at most `most`, more often a short one. */
static uint32_t length(input *in, uint32_t most) {
  const uint32_t shift = byte(in) & 15;
  const uint32_t wide = byte(in) | byte(in) << 8 | (byte(in) & 1) << 16;
  return (wide >> shift) % (most + 1);
}

/* `count` bytes of the input; what it lacks is a pattern, so that long texts need no long inputs. */
static void fill(uint8_t *to, size_t count, input *in) {
  const size_t given = count < in->left ? count : in->left;
  memcpy(to, in->at, given);
  in->at += given;
  in->left -= given;
  for (size_t i = given; i < count; i++) to[i] = (uint8_t)(i * 167 + (i >> 8) + 13);
}

static int is_zero(const uint8_t *bytes, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (bytes[i] != 0) return 0;
  return 1;
}

typedef struct {
  uint8_t *from;
  size_t count;
} region;

static size_t address(const uint8_t *at) { return at - kernel.w2c_memory.data; }

/* Puts regions back to what they were when the module was loaded: what an operation may change. */
static void put_back(const region *changed, size_t count) {
  for (size_t i = 0; i < count; i++) memcpy(changed[i].from, loaded_memory + address(changed[i].from), changed[i].count);
}

#define PUT_BACK(...)                                         \
  do {                                                        \
    const region changed[] = {__VA_ARGS__};                   \
    put_back(changed, sizeof changed / sizeof changed[0]);    \
  } while (0)

/* At the end of an input, when all that may change was put back: nothing else has. */
static void require_as_loaded(void) {
  const uint8_t *now = kernel.w2c_memory.data;
  if (memcmp(now, loaded_memory, kernel.w2c_memory.size) != 0) {
    size_t first = 0;
    while (now[first] == loaded_memory[first]) first++;
    fprintf(stderr, "broken: the memory has changed at %zu\n", first);
    abort();
  }
  kernel = loaded;
}

#endif
