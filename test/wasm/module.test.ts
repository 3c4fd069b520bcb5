/** What can be read off the shipped bytes themselves, and off the text the compiler made of them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { brotliCompressSync } from 'node:zlib';
import { compileKernels } from '../../wasm/build.ts';
import { loadKernel } from '../../wasm/kernel.ts';
import { freshKernel, wasmBytes, wasmModule } from './under-test.ts';

const { binary, text } = await compileKernels();

test('QZ-18: the module imports nothing, and its memory is fixed', () => {
  assert.deepEqual(WebAssembly.Module.imports(wasmModule), []);
  const { memory } = freshKernel().raw;
  const [, initial, maximum] = /\(memory \$0 (\d+) (\d+)\)/.exec(text)!;
  assert.equal(initial, maximum);
  assert.equal(memory.buffer.byteLength, Number(initial) * 65_536);
  assert.throws(() => memory.grow(1), RangeError);
});

test('the module is at most 16 kB compressed', () => {
  assert.ok(brotliCompressSync(wasmBytes).length <= 16_000);
});

test('the same sources give the same bytes', () => {
  assert.equal(Buffer.compare(binary, wasmBytes), 0);
});

test('QZ-18: the compiled code has no division, no table of jumps and no indirect call', () => {
  const forbidden = text.match(/\b(?:[if]\d\dx?\d?\.(?:div|rem)\w*|br_table|call_indirect|call_ref|memory\.grow)\b/g);
  assert.deepEqual(forbidden, null);
});

test('QZ-18: the compiler made a choice of values only where lengths are compared', () => {
  const choosing = new Set<string>();
  let current = '';
  for (const line of text.split('\n')) {
    current = /^ \(func \$(\S+)/.exec(line)?.[1] ?? current;
    if (/^\s+select\b/.test(line)) choosing.add(current.replace(/^.*assembly\//, ''));
  }
  assert.deepEqual([...choosing].sort(), ['aead/openWith', 'aead/sealWith', 'hkdf/hkdfExpand', 'sha256/update']);
});

test('the exports are those that exports.ts promises', () => {
  const source = readFileSync(join(import.meta.dirname, '../../wasm/exports.ts'), 'utf8');
  const promised = Array.from(source.matchAll(/^ {2}readonly (\w+):/gm), ([, name]) => name!).sort();
  const exported = WebAssembly.Module.exports(wasmModule).map(({ name }) => name);
  assert.ok(promised.length > 30);
  assert.deepEqual(exported.sort(), promised);
});

test('a module that wants an import is refused when it is loaded', () => {
  // (module (import "env" "abort" (func)))
  const wanting = Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 13, 1, 3, 101, 110, 118, 5, 97]);
  const bytes = Uint8Array.from([...wanting, 98, 111, 114, 116, 0, 0]);
  assert.ok(WebAssembly.validate(bytes));
  assert.throws(() => loadKernel(new WebAssembly.Module(bytes)), TypeError);
});
