/** Files that must be whole or absent, whatever stops the process in between. */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Makes a folder that only its owner may enter. */
export function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

/** Puts `content` in the place of the file, durably: a reader sees the old or the new one, never half. Mode 0600. */
export function replaceFile(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.new`;
  writeDurably(temporary, 'w', content);
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/** Adds to the end of a file, durably. Mode 0600. */
export function appendFile(path: string, content: string): void {
  writeDurably(path, 'a', content);
}

/** @returns undefined when the file does not exist. */
export function readIfPresent(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function writeDurably(path: string, flags: 'w' | 'a', content: string | Uint8Array): void {
  const file = openSync(path, flags, 0o600);
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
    for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** A rename is durable once its folder is; Windows has no way to ask for that and needs none. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
