/** What an app needs beside npm: Debian's packages and compiled parts, and how to see that they are there. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** A file of each Debian package. */
const debianFiles = {
  radicale: '/usr/bin/radicale',
  'redis-server': '/usr/bin/redis-server',
  'openssh-server': '/usr/sbin/sshd',
  'openssh-client': '/usr/bin/ssh',
  phpmyadmin: '/usr/share/phpmyadmin/index.php',
  // Without what starts a server of the system's.
  'mariadb-server-core': '/usr/sbin/mariadbd',
  'transmission-daemon': '/usr/bin/transmission-daemon',
  dokuwiki: '/usr/share/dokuwiki/doku.php',
  'jupyter-notebook': '/usr/bin/jupyter-notebook',
  'python3-django': '/usr/lib/python3/dist-packages/django/__init__.py',
} as const;

/** npm packages with a part in C++, and the file that it is compiled to. */
const compiledFiles = {
  'node-pty': 'build/Release/pty.node',
  'better-sqlite3': 'build/Release/better_sqlite3.node',
} as const;

export type DebianPackage = keyof typeof debianFiles;
export type NativePackage = keyof typeof compiledFiles;

export interface Needs {
  readonly debian?: readonly DebianPackage[];
  readonly native?: readonly NativePackage[];
}

/** By app; one that is not here needs npm alone. */
export const needs: Readonly<Record<string, Needs>> = {
  radicale: { debian: ['radicale'] },
  'redis-commander': { debian: ['redis-server'] },
  'actual-budget': { native: ['better-sqlite3'] },
  phpmyadmin: { debian: ['phpmyadmin', 'mariadb-server-core'] },
  dokuwiki: { debian: ['dokuwiki'] },
  django: { debian: ['python3-django'] },
  jupyter: { debian: ['jupyter-notebook'] },
  transmission: { debian: ['transmission-daemon'] },
  wetty: { debian: ['openssh-server', 'openssh-client'], native: ['node-pty'] },
};

export const installedNpm = join(import.meta.dirname, '../node_modules');

export function hasDebian(name: DebianPackage): boolean {
  return existsSync(debianFiles[name]);
}

export function hasNative(name: NativePackage): boolean {
  return existsSync(join(installedNpm, name, compiledFiles[name]));
}

/** The first thing that an app lacks here. */
export function whatIsMissing(app: string): string | undefined {
  if (!existsSync(join(installedNpm, '.installed-lock'))) return 'what `npm run test:apps` installs';
  const { debian = [], native = [] } = needs[app] ?? {};
  return debian.find((name) => !hasDebian(name)) ?? native.find((name) => !hasNative(name));
}
