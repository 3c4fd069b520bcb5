/*
 * The module as C sees it: one instance, its operations by their exported names, and its doors as pointers.
 * The C twin of wasm/exports.ts; wasm2c writes latchkey.h anew from the shipped bytes at each run.
 */
#ifndef LATCHKEY_KERNEL_H
#define LATCHKEY_KERNEL_H

#include "latchkey.h"

extern w2c_latchkey kernel;

/* CONSTANT(TEXT_MAX), DOOR(KEY), CALL(aeadSeal, adLength, length) */
#define CONSTANT(name) (*w2c_latchkey_##name(&kernel))
#define DOOR(name) (kernel.w2c_memory.data + CONSTANT(name))
#define CALL(name, ...) w2c_latchkey_##name(&kernel, ##__VA_ARGS__)

#endif
