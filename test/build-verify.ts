/**
 * `npm run build:verify`: builds the Wasm twice, from two copies of what the build reads, in two folders of different
 * names and in two processes, and compares the bytes with each other and with what this folder has built. Whoever is
 * served a module can so find out that it comes from these sources.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtWasm } from '../wasm/build.ts';

const root = join(import.meta.dirname, '..');

/** A build that has seen nothing of another. @returns the module. */
function cleanBuild(name: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), `latchkey-${name}-`));
  try {
    for (const part of ['wasm', 'package.json']) cpSync(join(root, part), join(folder, part), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    execFileSync(process.execPath, [join(folder, 'wasm/build.ts')], { cwd: folder, stdio: 'inherit' });
    return readFileSync(join(folder, 'build/wasm/latchkey.wasm'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const digests = [digestOf(cleanBuild('first')), digestOf(cleanBuild('the-second')), digestOf(await builtWasm())];
console.log(digests.join('\n'));
const same = new Set(digests).size === 1;
console.log(same ? 'latchkey.wasm: three builds, the same bytes' : 'latchkey.wasm: the builds differ');
process.exit(same ? 0 : 1);
