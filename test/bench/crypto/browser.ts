/** Has crypto.worker.ts measure in Chromium. */
import { join } from 'node:path';
import type { Figure } from '../figure.ts';
import { measureInWorker } from '../in-browser.ts';

export function browserFigures(wasm: Uint8Array<ArrayBuffer>): Promise<readonly Figure[]> {
  return measureInWorker(join(import.meta.dirname, 'crypto.worker.ts'), { '/latchkey.wasm': wasm });
}
