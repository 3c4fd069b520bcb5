/** Finds the Chromium that tests drive, or installs one with the platform's package manager where it may. */
import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** The flags every test starts Chromium with; the profile is always a fresh one. */
export const chromiumFlags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
] as const;

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** @returns the path of a Chromium. @throws Error with one sentence on what to install. */
export function findChromium(): string {
  const found = process.env['CHROME_PATH'] ?? search();
  if (found !== undefined && found !== '') return found;
  install();
  const installed = search();
  if (installed !== undefined) return installed;
  throw new Error('No Chromium was found: install the package "chromium" or set CHROME_PATH.');
}

function search(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(':');
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Debian's package manager, and only as root: anything else asks the person. */
function install(): void {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return;
  if (spawnSync('apt-get', ['--version']).status !== 0) return;
  console.log('No Chromium was found; installing the package "chromium".');
  const options = { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const;
  execFileSync('apt-get', ['update', '-qq'], options);
  execFileSync('apt-get', ['install', '-y', '-qq', 'chromium'], options);
}
