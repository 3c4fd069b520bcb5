/** What the apps come from: npm packages in a folder of their own, compiled where they must be, and Debian packages. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DebianPackage, NativePackage } from './harness/needs.ts';
import { hasDebian, hasNative, installedNpm } from './harness/needs.ts';

const folder = import.meta.dirname;

export interface Wanted {
  readonly debian: readonly DebianPackage[];
  readonly native: readonly NativePackage[];
}

/** Installs what is missing, as far as it may. What could not be had makes the tests of its apps skip themselves. */
export function installApps({ debian, native }: Wanted): void {
  installNpm();
  installDebian(debian.filter((name) => !hasDebian(name)));
  for (const name of native) if (!hasNative(name)) compile(name);
}

/** Without install scripts: nothing runs but what a test starts. */
function installNpm(): void {
  const lock = readFileSync(join(folder, 'package-lock.json'), 'utf8');
  const note = join(installedNpm, '.installed-lock');
  if (existsSync(note) && readFileSync(note, 'utf8') === lock) return;
  console.log('Installing the apps from npm.');
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', ['ci', ...options], { cwd: folder, stdio: 'inherit' });
  writeFileSync(note, lock);
}

/** Only as root: anything else asks the person. */
function installDebian(missing: readonly DebianPackage[]): void {
  if (missing.length === 0 || process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0) return;
  console.log(`Installing from Debian: ${missing.join(', ')}.`);
  const options = { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const;
  spawnSync('apt-get', ['update', '-qq'], options);
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], options);
}

/** Against the headers of the Node that runs it, which lie beside it. */
function compile(name: NativePackage): void {
  console.log(`Compiling ${name}.`);
  const gyp = join(installedNpm, 'node-gyp/bin/node-gyp.js');
  const headers = dirname(dirname(process.execPath));
  const args = [gyp, 'rebuild', '--release', `--nodedir=${headers}`];
  // What npm is configured to use would win over the argument.
  const env = { ...process.env, npm_config_nodedir: headers };
  const result = spawnSync(process.execPath, args, { cwd: join(installedNpm, name), encoding: 'utf8', env });
  if (result.status !== 0) console.error(`${name} could not be compiled:\n${result.stderr.slice(-2_000)}`);
}
