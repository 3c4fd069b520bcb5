/** A process that commits and says so is killed in the middle, again and again: what it said has to be there. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openStore } from '../../../server/store/store.ts';

/** @returns commits that were reported and are not there. */
export async function lostCommits(kills: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'kill9-'));
  const path = join(folder, 'control.db');
  let lost = 0;
  try {
    for (let kill = 0; kill < kills; kill++) {
      const reported = await committedUntilKilled(path, 1 + (kill % 7) * 5);
      const store = await openStore(path);
      const rows = await store.selectFrom('spent_nonces').select('owner').execute();
      await store.destroy();
      const there = new Set(rows.map(({ owner }) => owner));
      lost += reported.filter((owner) => !there.has(owner)).length;
    }
    return lost;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Kills it by SIGKILL when it has reported so many; it goes on meanwhile. @returns all it reported */
async function committedUntilKilled(path: string, least: number): Promise<string[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'committer.ts'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const reported: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    reported.push(line);
    if (reported.length === least) child.kill('SIGKILL');
  }
  return reported;
}
