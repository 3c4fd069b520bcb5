/* The surroundings that wasm-rt.h promises. */
#include "wasm-rt.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

__attribute__((weak)) uint32_t *wasm_rt_entered(void) {
  static uint32_t depth;
  return &depth;
}

void wasm_rt_trap(wasm_rt_trap_t trap) {
  static const char *const names[] = {
      [WASM_RT_TRAP_OOB] = "an access outside the memory",
      [WASM_RT_TRAP_INT_OVERFLOW] = "an integer overflow",
      [WASM_RT_TRAP_DIV_BY_ZERO] = "a division by zero",
      [WASM_RT_TRAP_INVALID_CONVERSION] = "a conversion of no number",
      [WASM_RT_TRAP_UNREACHABLE] = "an unreachable instruction",
      [WASM_RT_TRAP_CALL_INDIRECT] = "an indirect call",
      [WASM_RT_TRAP_EXHAUSTION] = "calls too deep",
  };
  fprintf(stderr, "trap: %s\n", names[trap]);
  abort();
}

bool wasm_rt_is_initialized(void) { return true; }

/* A 32-bit address and a 32-bit offset reach 8 GiB and one vector; what is beyond the memory may not be touched. */
static const uint64_t REACH = (UINT64_C(8) << 30) + 65536;

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint64_t pages, uint64_t most, bool wide, uint32_t page_size) {
  if (pages != most || wide) abort();
  memory->size = pages * page_size;
  memory->data = mmap(NULL, REACH, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory->data == MAP_FAILED || mprotect(memory->data, memory->size, PROT_READ | PROT_WRITE) != 0) abort();
}

void wasm_rt_free_memory(wasm_rt_memory_t *memory) { munmap(memory->data, REACH); }
