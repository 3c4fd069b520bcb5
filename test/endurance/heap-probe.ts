/**
 * Loaded into the product's processes by NODE_OPTIONS for a soak: every few seconds it collects garbage and writes what is
 * left to `LATCHKEY_HEAP_PROBE/<pid>`. What a heap holds cannot be seen from outside.
 *
 * Without machine code and what belongs to it: V8 goes on making that of functions for as long as they are called, and it
 * is no object of ours that was left.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const everyMs = 5_000;
const folder = process.env['LATCHKEY_HEAP_PROBE'];

if (folder !== undefined) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setInterval(() => {
    collect();
    const { external, arrayBuffers } = process.memoryUsage();
    const objects = getHeapSpaceStatistics().filter(({ space_name }) => !/(?:^|_)(?:code|trusted)_/.test(space_name));
    const heapUsed = objects.reduce((bytes, space) => bytes + space.space_used_size, 0);
    // Whoever reads finds a whole file: rename(2) replaces it at once.
    const file = join(folder, String(process.pid));
    writeFileSync(`${file}.new`, JSON.stringify({ heapUsed, external, arrayBuffers }));
    renameSync(`${file}.new`, file);
  }, everyMs).unref();
}
