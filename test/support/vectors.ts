/**
 * Finds the published test vectors (Wycheproof, ACVP, CCTV, known answers). They are data that lives beside the
 * project, never in it: `LATCHKEY_VECTORS`, or `../shared/vectors` from the project's folder.
 * With `CI=true` their absence is a failure; elsewhere it is one visible line and the tests that need them are skipped.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';

const root = resolve(import.meta.dirname, '../..');
export const vectorsDirectory = process.env['LATCHKEY_VECTORS'] ?? resolve(root, '../shared/vectors');
export const vectorsPresent = existsSync(vectorsDirectory);

if (!vectorsPresent) {
  if (process.env['CI'] === 'true') throw new Error('the test vectors are missing; set LATCHKEY_VECTORS');
  console.warn('vectors: none found; set LATCHKEY_VECTORS to check the published test vectors');
}

/** For `test(name, needsVectors, …)`. */
export const needsVectors = vectorsPresent ? {} : { skip: 'the published vectors are not on this machine' };

export function vectorText(path: string): string {
  const bytes = readFileSync(join(vectorsDirectory, path));
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
}

/** @typeParam T the shape the caller expects; these files are trusted data, so it is not checked again. */
export function vectorJson<T>(path: string): T {
  return JSON.parse(vectorText(path)) as T;
}
