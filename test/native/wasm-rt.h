/*
 * What the C that wasm2c (wabt 1.0.39) makes of our module asks of its surroundings. The module imports nothing, has one
 * memory that cannot grow, and no tables, so this is a small part of WebAssembly: every access is checked, and a trap
 * ends the process, which is what a fuzzer and valgrind report best.
 *
 * Not for other modules: tables, exceptions and growing memories are absent.
 */
#ifndef LATCHKEY_WASM_RT_H
#define LATCHKEY_WASM_RT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define wasm_rt_memcpy memcpy

/*
 * 1: an access outside the memory falls on a page that nobody may touch, which costs nothing: for fuzzing.
 * 0: every address is compared with the size, so that valgrind sees one that depends on a secret as a branch on it.
 */
#ifndef WASM_RT_MEMCHECK_GUARD_PAGES
#define WASM_RT_MEMCHECK_GUARD_PAGES 0
#endif
#define WASM_RT_USE_SEGUE 0
#define WASM_RT_STACK_DEPTH_COUNT 1
#define WASM_RT_MAX_CALL_STACK_DEPTH 200

/* The generated code counts its depth at each entry of a function of the module, before anything else. */
#define wasm_rt_call_stack_depth (*wasm_rt_entered())

typedef enum {
  WASM_RT_TRAP_OOB,
  WASM_RT_TRAP_INT_OVERFLOW,
  WASM_RT_TRAP_DIV_BY_ZERO,
  WASM_RT_TRAP_INVALID_CONVERSION,
  WASM_RT_TRAP_UNREACHABLE,
  WASM_RT_TRAP_CALL_INDIRECT,
  WASM_RT_TRAP_EXHAUSTION,
} wasm_rt_trap_t;

typedef struct {
  uint8_t *data;
  uint64_t size;
} wasm_rt_memory_t;

/* The generated helpers for tables are never called; they have to compile. */
typedef enum { WASM_RT_I32, WASM_RT_I64, WASM_RT_F32, WASM_RT_F64, WASM_RT_V128 } wasm_rt_type_t;
typedef const char *wasm_rt_func_type_t;
typedef void (*wasm_rt_function_ptr_t)(void);
typedef struct {
  wasm_rt_function_ptr_t function;
} wasm_rt_tailcallee_t;
typedef struct {
  wasm_rt_func_type_t func_type;
  wasm_rt_function_ptr_t func;
  wasm_rt_tailcallee_t func_tailcallee;
  void *module_instance;
} wasm_rt_funcref_t;
typedef void *wasm_rt_externref_t;
typedef struct {
  wasm_rt_funcref_t *data;
  uint32_t size;
} wasm_rt_funcref_table_t;
typedef struct {
  wasm_rt_externref_t *data;
  uint32_t size;
} wasm_rt_externref_table_t;
static const wasm_rt_funcref_t wasm_rt_funcref_null_value = {0};
static const wasm_rt_externref_t wasm_rt_externref_null_value = 0;

/* The depth of calls inside the module. A harness may define it to look at the memory in the middle of an operation. */
uint32_t *wasm_rt_entered(void);
/* Says which trap it was and aborts. */
__attribute__((noreturn)) void wasm_rt_trap(wasm_rt_trap_t trap);
bool wasm_rt_is_initialized(void);
void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint64_t pages, uint64_t most, bool wide, uint32_t page_size);
void wasm_rt_free_memory(wasm_rt_memory_t *memory);

#endif
