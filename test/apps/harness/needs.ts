/** Where the apps are installed, and how to see that they are there. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The lock that the folder was installed from; written when all of it was there. */
export const installedLock = join(import.meta.dirname, '../node_modules/.installed-lock');

/** What an app lacks here. */
export function whatIsMissing(): string | undefined {
  return existsSync(installedLock) ? undefined : 'what `npm run test:apps` installs';
}
