/**
 * Loaded into the product's processes by NODE_OPTIONS for a soak: every few seconds it collects garbage and writes what is
 * left to `LATCHKEY_HEAP_PROBE/<pid>`. What a heap holds cannot be seen from outside.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const everyMs = 5_000;
const folder = process.env['LATCHKEY_HEAP_PROBE'];

if (folder !== undefined) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setInterval(() => {
    collect();
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    // Whoever reads finds a whole file: rename(2) replaces it at once.
    const file = join(folder, String(process.pid));
    writeFileSync(`${file}.new`, JSON.stringify({ heapUsed, external, arrayBuffers }));
    renameSync(`${file}.new`, file);
  }, everyMs).unref();
}
