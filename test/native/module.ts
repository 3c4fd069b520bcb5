/**
 * The shipped Wasm as native code, so that tools for native code can judge it: wasm2c (wabt) writes C, one function for
 * each of the module's, and clang compiles that with the small surroundings beside this file. SIMD comes from SIMDe's
 * headers. What a browser's engine makes of the same bytes is another translation: docs/testing.md says what follows.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assemblyDirectory, compileKernels } from '../../wasm/build.ts';

const here = import.meta.dirname;
const root = join(here, '../..');
const wasm2c = join(root, 'node_modules/wabt/bin/wasm2c');

/** A tool said no; `detail` is what it said. */
export class NativeError extends Error {
  readonly code = 'native_build';
  readonly detail: string;
  constructor(command: string, detail: string) {
    super(`${command} failed: ${detail}`);
    this.name = 'NativeError';
    this.detail = detail;
  }
}

/** What a program of Debian's is looked for by, and its package. */
interface Tool {
  readonly debian: string;
  readonly found: () => boolean;
}

const compiles = (source: string, ...flags: string[]) =>
  spawnSync('clang', [...flags, '-x', 'c', '-', '-o', '/dev/null'], { input: source }).status === 0;

export const tools = {
  clang: { debian: 'clang', found: () => spawnSync('clang', ['--version']).status === 0 },
  fuzzer: {
    debian: 'libclang-rt-14-dev',
    found: () => compiles('int LLVMFuzzerTestOneInput(void) { return 0; }', '-fsanitize=fuzzer'),
  },
  simde: { debian: 'libsimde-dev', found: () => compiles('#include <simde/wasm/simd128.h>\n', '-c') },
  valgrind: {
    debian: 'valgrind',
    found: () =>
      spawnSync('valgrind', ['--version']).status === 0 && compiles('#include <valgrind/memcheck.h>\n', '-c'),
  },
} as const satisfies Record<string, Tool>;

/** @returns one sentence naming what is missing and how it is installed, or null when all is there. */
export function missingTools(...needed: Tool[]): string | null {
  const missing = needed.filter((tool) => !tool.found()).map((tool) => tool.debian);
  if (missing.length === 0) return null;
  return `Missing from this machine (names of Debian's packages): ${missing.join(', ')}; apt-get install ${missing.join(' ')}.`;
}

/** @throws NativeError when the command does not end well. */
export function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new NativeError(command, error?.message ?? stderr);
}

/**
 * Translates a module and compiles it, into a folder named by what went in; a second time nothing is done.
 * @param flags for clang, for the module alone: how it is instrumented.
 * @returns the folder, which has latchkey.c, latchkey.h, module.o and wasm-rt.o.
 */
export function nativeModule(binary: Uint8Array, flags: readonly string[]): string {
  const folder = join(root, 'build/native', digestOf(binary, flags));
  const at = (name: string) => join(folder, name);
  if (existsSync(at('done'))) return folder;
  mkdirSync(folder, { recursive: true });
  writeFileSync(at('latchkey.wasm'), binary);
  run(process.execPath, [wasm2c, '-n', 'latchkey', at('latchkey.wasm'), '-o', at('latchkey.c')]);
  run('clang', ['-c', ...flags, `-I${here}`, at('latchkey.c'), '-o', at('module.o')]);
  run('clang', ['-c', '-O1', '-gdwarf-4', `-I${here}`, join(here, 'wasm-rt.c'), '-o', at('wasm-rt.o')]);
  writeFileSync(at('done'), '');
  return folder;
}

/**
 * Compiles one harness against a module.
 * @param flags for clang, compiling and linking the harness. @returns the program's path.
 */
export function program(harness: string, name: string, folder: string, flags: readonly string[]): string {
  const [object, path] = [join(folder, `${name}.o`), join(folder, name)];
  const includes = [`-I${folder}`, `-I${here}`];
  run('clang', [
    '-c',
    '-O1',
    '-gdwarf-4',
    '-Wall',
    '-Werror',
    '-Wno-unused-function',
    ...includes,
    harness,
    '-o',
    object,
  ]);
  run('clang', [...flags, object, join(folder, 'module.o'), join(folder, 'wasm-rt.o'), '-lm', '-o', path]);
  return path;
}

function digestOf(binary: Uint8Array, flags: readonly string[]): string {
  const hash = createHash('sha256').update(binary).update(JSON.stringify(flags));
  for (const name of ['wasm-rt.h', 'wasm-rt.c']) hash.update(readFileSync(join(here, name)));
  return hash.digest('hex').slice(0, 16);
}

/**
 * The module with a fault on purpose: each function of the AssemblyScript source `planted` stands in for the export of
 * its name, which it wraps. All else is the kernels as they are.
 */
export async function faultyModule(planted: string): Promise<{ binary: Uint8Array; text: string; faults: string[] }> {
  const source = readFileSync(planted, 'utf8');
  const faults = Array.from(source.matchAll(/^export function (\w+)/gm), ([, name]) => name!);
  let index = readFileSync(join(assemblyDirectory, 'index.ts'), 'utf8');
  for (const name of faults) index = index.replace(new RegExp(`\\b${name}\\b,?`), '');
  index += `export { ${faults.join(', ')} } from './planted';\n`;
  const sources = new Map([
    ['index.ts', index],
    ['planted.ts', source],
  ]);
  return { ...(await compileKernels(sources)), faults };
}
