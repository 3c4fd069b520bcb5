/** Files of composite keys: the two seeds, ML-DSA's and then Ed25519's, 64 bytes, one file a key, 0600. */
import { join } from 'node:path';
import { wipe } from '../../protocol/bytes.ts';
import type { Signer } from '../../protocol/crypto.ts';
import { type CompositeSeeds, compositeFromSeeds, generateComposite } from '../crypto/composite-key.ts';
import { readIfPresent, replaceFile } from '../store/files.ts';
import type { ControlPaths } from '../store/paths.ts';

export type KeyPaths = Pick<ControlPaths, 'folder' | 'keys' | 'trust'>;

/** The keys cannot be used; the process does not start. */
export class PkiError extends Error {
  readonly code = 'keys_unusable';
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PkiError';
  }
}

/** @param missing what to do where there is none. @throws PkiError when it is missing or damaged */
export function loadKey(paths: KeyPaths, name: string, missing: 'make' | 'fail' = 'fail'): Signer {
  const file = readIfPresent(keyFile(paths, name));
  if (file === undefined) {
    if (missing === 'make') return makeKey(paths, name);
    throw new PkiError(`The key file ${keyFile(paths, name)} is missing; restore it from a backup.`);
  }
  try {
    if (file.length !== 64) throw new PkiError(`The key file ${keyFile(paths, name)} is damaged.`);
    return compositeFromSeeds(file.subarray(0, 32), file.subarray(32));
  } finally {
    wipe(file);
  }
}

/** A new key, kept in its file. */
export function makeKey(paths: KeyPaths, name: string): Signer {
  const { seeds, signer } = generateComposite();
  try {
    writeSeeds(paths, name, seeds);
    return signer;
  } finally {
    wipe(seeds.mldsa, seeds.ed25519);
  }
}

/** The caller wipes the seeds. */
export function writeSeeds(paths: KeyPaths, name: string, seeds: CompositeSeeds): void {
  const bytes = Buffer.concat([seeds.mldsa, seeds.ed25519]);
  try {
    replaceFile(keyFile(paths, name), bytes);
  } finally {
    wipe(bytes);
  }
}

export function keyFile(paths: KeyPaths, name: string): string {
  return join(paths.keys, `${name}.key`);
}

/** A file that anybody may read. @throws PkiError */
export function readPublic(path: string): Uint8Array {
  const bytes = readIfPresent(path);
  if (bytes === undefined) throw new PkiError(`The file ${path} is missing; restore it from a backup.`);
  return new Uint8Array(bytes);
}
