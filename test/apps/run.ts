/**
 * `npm run test:apps`: installs the real apps beside the product, never into it, and runs the test of each.
 * `npm run test:apps -- NAME…` runs only those.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { needs } from './harness/needs.ts';
import { installApps } from './install.ts';

const root = join(import.meta.dirname, '../..');

const asked = process.argv.slice(2);
const all = globSync('*.test.ts', { cwd: import.meta.dirname }).map((file) => basename(file, '.test.ts'));
const names = asked.length === 0 ? all : asked;
const unknown = names.find((name) => !existsSync(join(import.meta.dirname, `${name}.test.ts`)));
if (unknown !== undefined) {
  console.error(`usage: npm run test:apps [-- ${all.sort().join(' | ')}]`);
  process.exit(2);
}

const wanted = names.map((name) => needs[name] ?? {});
installApps({
  debian: wanted.flatMap(({ debian = [] }) => debian),
  native: wanted.flatMap(({ native = [] }) => native),
});
const files = names.map((name) => join('test/apps', `${name}.test.ts`));
const { status } = spawnSync(process.execPath, [join(root, 'test/run.ts'), ...files], { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
