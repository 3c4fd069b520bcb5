/** What the apps come from: npm packages in a folder of their own, without install scripts. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installedLock } from './harness/needs.ts';

const folder = import.meta.dirname;

export function installApps(): void {
  const lock = readFileSync(join(folder, 'package-lock.json'), 'utf8');
  if (existsSync(installedLock) && readFileSync(installedLock, 'utf8') === lock) return;
  console.log('Installing the apps from npm.');
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', ['ci', ...options], { cwd: folder, stdio: 'inherit' });
  writeFileSync(installedLock, lock);
}
