/** How much the product's processes grow while something goes on: resident memory, sampled, the highest against the first. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Product } from './product.ts';

const everyMs = 100;

/** Begins to watch. `end` returns the growth of each process in bytes. */
export function growthOf(product: Product): Growth {
  const pids: Record<string, number> = { up: product.pid };
  for (const [part, pid] of Object.entries(product.ready.pids)) if (pid !== undefined) pids[part] = pid;
  return growth(pids);
}

/** The same for the processes of the browsers that this test has started; those that end meanwhile count as they were. */
export function browserGrowth(): Growth {
  const all = new Map(processes().map((one) => [one.pid, one]));
  // Its children may call themselves what they like.
  const browserOf = (pid: number): string | undefined => {
    const { name, parent } = all.get(pid) ?? { name: '', parent: 0 };
    if (pid <= 1 || pid === process.pid) return undefined;
    return browserOf(parent) ?? /^(chromium|firefox)/i.exec(name)?.[0];
  };
  const isOurs = (pid: number): boolean => pid === process.pid || (pid > 1 && isOurs(all.get(pid)?.parent ?? 0));
  const own = [...all.values()].flatMap(({ pid, name }): [string, number][] => {
    const browser = isOurs(pid) ? browserOf(pid) : undefined;
    return browser === undefined ? [] : [[`${browser} ${pid} (${name})`, pid]];
  });
  return growth(Object.fromEntries(own));
}

interface Growth {
  end(): Promise<Record<string, number>>;
}

function growth(pids: Record<string, number>): Growth {
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
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(statusOf(pid))?.[1] ?? 0) * 1_024;
}

/** Empty for a process that has ended. */
function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

function processes(): { pid: number; parent: number; name: string }[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => {
      const status = statusOf(Number(entry));
      const [, name = ''] = /^Name:\s+(.+)$/m.exec(status) ?? [];
      return { pid: Number(entry), parent: Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1] ?? 0), name };
    });
}
