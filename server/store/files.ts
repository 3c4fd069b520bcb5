/** Files that must be whole or absent, whatever stops the process in between. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Makes a folder that only its owner may enter, and those above it that are not there, durably. */
export function makePrivateFolder(path: string): void {
  const first = mkdirSync(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = resolve(path); made.length >= resolve(first).length; made = dirname(made)) syncFolder(dirname(made));
}

/** Puts `content` in the place of the file, durably: a reader sees the old or the new one, never half. Mode 0600. */
export function replaceFile(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.new`;
  writeDurably(temporary, 'w', content);
  renameDurably(temporary, path);
}

/** Gives a file or folder another name in its folder, durably: what is renamed later is never seen without it. */
export function renameDurably(from: string, to: string): void {
  renameSync(from, to);
  syncFolder(dirname(to));
}

/** Copies a file, or a folder with all that is in it, durably. What is copied is private: 0600 and 0700. */
export function copyDurably(from: string, to: string): void {
  if (statSync(from).isDirectory()) {
    makePrivateFolder(to);
    for (const name of readdirSync(from)) copyDurably(join(from, name), join(to, name));
  } else replaceFile(to, readFileSync(from));
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
