/**
 * `node wasm/build.ts`: compiles assembly/ to build/wasm/latchkey.wasm. The same sources and compiler always give the
 * same bytes (test/wasm/module.test.ts), so whoever wants to can rebuild what a browser was served.
 */
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { main } from 'assemblyscript/asc';

const root = join(import.meta.dirname, '..');
export const assemblyDirectory = join(import.meta.dirname, 'assembly');
export const wasmPath = join(root, 'build/wasm/latchkey.wasm');
const stampPath = `${wasmPath}.sources`;

/** 64 KiB each; the arena of assembly/memory.ts and the tables fit. The memory cannot grow. */
const memoryPages = '13';

/** No runtime, no collector, no assertions, and no `abort` to import: the module can call nothing. */
const flags = [
  ...['-O3', '--converge', '--noAssert'],
  ...['--runtime', 'stub', '--use', 'abort=', '--enable', 'simd'],
  ...['--initialMemory', memoryPages, '--maximumMemory', memoryPages],
];

/** The compiler refused the sources; its messages are in `detail`. */
export class WasmBuildError extends Error {
  readonly code = 'wasm_build';
  readonly detail: string;
  constructor(detail: string, options?: ErrorOptions) {
    super('the Wasm sources do not compile', options);
    this.name = 'WasmBuildError';
    this.detail = detail;
  }
}

/**
 * Compiles in memory.
 * @param instead sources by name that stand in for those of assembly/: how a test plants a fault.
 * @returns the binary and its text form. @throws WasmBuildError
 */
export async function compileKernels(
  instead: ReadonlyMap<string, string> = new Map(),
): Promise<{ binary: Uint8Array; text: string }> {
  const files = new Map<string, string | Uint8Array>();
  const args = ['index.ts', '--outFile', 'latchkey.wasm', '--textFile', 'latchkey.wat', ...flags];
  const { error, stderr } = await main(args, {
    readFile: (name, base) => instead.get(name) ?? readOrNull(join(assemblyDirectory, base === '.' ? '' : base, name)),
    writeFile: (name, contents) => void files.set(name, contents),
    listFiles: () => [],
  });
  const binary = files.get('latchkey.wasm');
  const text = files.get('latchkey.wat');
  if (error !== null || !(binary instanceof Uint8Array) || typeof text !== 'string') {
    throw new WasmBuildError(stderr.toString(), { cause: error });
  }
  return { binary, text };
}

function readOrNull(path: string): string | null {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

/** Compiles and writes {@link wasmPath}, whole or not at all. */
export async function buildWasm(): Promise<void> {
  const digest = digestOfSources();
  const { binary } = await compileKernels();
  mkdirSync(dirname(wasmPath), { recursive: true });
  replace(wasmPath, binary);
  replace(stampPath, digest);
}

/** Builds when the sources differ from those of the last build. @returns the binary. */
export async function builtWasm(): Promise<Uint8Array<ArrayBuffer>> {
  const current = existsSync(wasmPath) && readOrNull(stampPath) === digestOfSources();
  if (!current) await buildWasm();
  return new Uint8Array(readFileSync(wasmPath));
}

/** Two test processes may build at once: each writes a file of its own and the last rename wins. */
function replace(path: string, contents: string | Uint8Array): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, contents);
  renameSync(temporary, path);
}

function digestOfSources(): string {
  const hash = createHash('sha256');
  const sources = globSync('**/*.ts', { cwd: assemblyDirectory }).sort();
  for (const path of sources) hash.update(`${path}\0`).update(readFileSync(join(assemblyDirectory, path)));
  return hash.update(readFileSync(import.meta.filename)).digest('hex');
}

if (import.meta.main) await buildWasm();
