/** How much the product's processes grow while something goes on: resident memory, sampled, the highest against the first. */
import { readFileSync } from 'node:fs';
import type { Product } from './product.ts';

const everyMs = 100;

/** Begins to watch. `end` returns the growth of each process in bytes. */
export function growthOf(product: Product): { end(): Promise<Record<string, number>> } {
  const pids: Record<string, number> = { up: product.pid };
  for (const [part, pid] of Object.entries(product.ready.pids)) if (pid !== undefined) pids[part] = pid;
  const first = sample(pids);
  const highest = { ...first };
  const look = () => {
    for (const [part, bytes] of Object.entries(sample(pids))) highest[part] = Math.max(highest[part] ?? 0, bytes);
  };
  const timer = setInterval(look, everyMs);
  return {
    async end() {
      clearInterval(timer);
      look();
      return Object.fromEntries(Object.entries(highest).map(([part, bytes]) => [part, bytes - (first[part] ?? 0)]));
    },
  };
}

function sample(pids: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(pids).map(([part, pid]) => [part, residentBytes(pid)]));
}

function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) * 1_024;
}
