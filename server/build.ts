/**
 * Builds what the browser gets (Wasm, then the bundles) when the sources differ from those of the last build.
 * Nothing is built at install time, because the project runs no install scripts.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const stamp = join(root, 'build/sources.sha256');
const sources = ['{wasm,protocol,posture-js,worker,web}/**/*', 'vite.config.ts', 'package-lock.json'];
const products = ['build/wasm/latchkey.wasm', 'dist/hub/index.html', 'dist/shell/index.html', 'dist/app/sw.js'];
const steps = [join('wasm', 'build.ts'), join('web', 'build.ts')];

/** A build step that ended with an error; its own output went to standard error. */
export class BuildError extends Error {
  readonly code = 'build_failed';
  constructor(step: string) {
    super(`The build step ${step} failed; its messages stand above.`);
    this.name = 'BuildError';
  }
}

/** @param force builds even when nothing changed. @throws BuildError */
export async function ensureBuilt(force = false): Promise<void> {
  const digest = digestOfSources();
  if (!force && isCurrent(digest)) return;
  for (const step of steps) await run(step);
  mkdirSync(join(root, 'build'), { recursive: true });
  writeFileSync(stamp, digest);
}

function isCurrent(digest: string): boolean {
  return (
    products.every((product) => existsSync(join(root, product))) &&
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === digest
  );
}

function digestOfSources(): string {
  const hash = createHash('sha256');
  for (const entry of globSync(sources, { cwd: root, withFileTypes: true }).sort(byPath)) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    hash.update(`${path.slice(root.length)}\0`).update(readFileSync(path));
  }
  return hash.digest('hex');
}

function byPath(a: { parentPath: string; name: string }, b: { parentPath: string; name: string }): number {
  const [left, right] = [join(a.parentPath, a.name), join(b.parentPath, b.name)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function run(step: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Standard output belongs to the command that asked for the build, so the step's goes to standard error.
    const child = spawn(process.execPath, [join(root, step)], { cwd: root, stdio: ['ignore', 2, 2] });
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new BuildError(step))));
  });
}

if (import.meta.main) await ensureBuilt(process.argv.includes('--force'));
