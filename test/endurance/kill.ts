/** kill -9 of the gateway in mid-transfer, again and again: nothing short is ever taken for whole, and all is back soon. */
import assert from 'node:assert/strict';
import type { Figure } from '../bench/figure.ts';
import { expectedDigest } from '../e2e/support/browser-app.ts';
import { serviceA, World } from '../e2e/support/node-world.ts';
import { seededRandom } from '../protocol/session/seeded-random.ts';
import { KeptClient, type Outcome } from './kept-client.ts';

const mebibyte = 2 ** 20;

export interface KillOptions {
  readonly times: number;
  readonly seed: number;
  /** Length of each download. */
  readonly bytes?: number;
}

/** @returns what became of the transfers, and how long the gateway was away. */
export async function killGateway({ times, seed, bytes = 6 * mebibyte }: KillOptions): Promise<Figure[]> {
  const random = seededRandom(seed);
  await using world = await World.start();
  const client = await KeptClient.start(world, { service: serviceA });
  const whole = { ending: 'end', code: '', bytes, sha256: expectedDigest(bytes) };
  let pid = world.product.ready.pids.gateway ?? 0;
  const [counts, awayMs]: [Record<string, number>, number[]] = [{ resumed: 0, truncated: 0 }, []];
  for (let time = 0; time < times; time += 1) {
    // Both are held where they are until the gateway is gone, so that it is gone in the middle of both.
    const killed = Promise.withResolvers<void>();
    const held = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const holdAt = (index: 0 | 1, at: number) => (sofar: number) => {
      if (sofar < at) return undefined;
      held[index].resolve();
      return killed.promise;
    };
    const resumable = client.get(`/download?bytes=${bytes}`, holdAt(0, random(bytes - 2 * mebibyte) + 1));
    const plain = client.get(`/download?bytes=${bytes}&ranges=none`, holdAt(1, 1));
    await Promise.all(held.map(({ promise }) => promise));
    const restarted = world.product.restarted('gateway');
    const killedAt = performance.now();
    process.kill(pid, 'SIGKILL');
    killed.resolve();
    assert.equal((await client.get('/whoami')).status, 200);
    awayMs.push(performance.now() - killedAt);
    pid = Number((await restarted)['pid']);
    const { status: _status, ...outcome } = await resumable;
    assert.deepEqual(outcome, whole, `seed ${seed}, kill ${time}`);
    counts['resumed'] = (counts['resumed'] ?? 0) + 1;
    assertBroken(await plain, bytes);
    counts['truncated'] = (counts['truncated'] ?? 0) + 1;
  }
  client.end();
  const verified = await world.product.cliJson('audit', 'verify');
  awayMs.sort((one, other) => one - other);
  return [
    { name: 'kill.times', value: times, unit: 'kills' },
    { name: 'kill.resumed', value: counts['resumed'] ?? 0, unit: 'downloads' },
    { name: 'kill.truncated', value: counts['truncated'] ?? 0, unit: 'downloads' },
    { name: 'kill.away_median', value: Math.round(awayMs[awayMs.length >> 1] ?? 0), unit: 'ms' },
    { name: 'kill.away_max', value: Math.round(awayMs.at(-1) ?? 0), unit: 'ms' },
    { name: 'kill.audit_events_verified', value: Number(verified['events'] ?? 0), unit: 'events' },
  ];
}

function assertBroken({ ending, code, bytes }: Outcome, whole: number): void {
  assert.deepEqual([ending, code], ['error', 'truncated']);
  assert.ok(bytes < whole);
}
