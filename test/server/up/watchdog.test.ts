/** A process that is taken over is ended from outside, and its successor is told why. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadConfig } from '../../../server/config.ts';
import { type Logger, logger, setLogLevel } from '../../../server/log.ts';
import type { PartEnd } from '../../../server/up/child.ts';
import { Part } from '../../../server/up/part.ts';
import { Watchdog, type WatchEnd, type WatchLimits } from '../../../server/up/watchdog.ts';

setLogLevel('silent');
const file = join(import.meta.dirname, 'greedy-child.ts');
const config = { ...loadConfig({ data: '/nonexistent' }), logLevel: 'silent' as const };
const generous: WatchLimits = { memoryBytes: 512 * 2 ** 20, silentS: 60, startS: 60 };
const parts: Part[] = [];

after(async () => {
  for (const part of parts) await part.stop();
});

/** Starts processes that go wrong as `first` says, one after the other; the last one's successor is healthy. Resolves with what is known of the restart. */
async function restarted(
  first: string | readonly string[],
  watch: WatchLimits,
): Promise<{ info: Record<string, unknown>; after: PartEnd }> {
  const restart = Promise.withResolvers<{ info: Record<string, unknown>; after: PartEnd }>();
  const tokens = [first].flat();
  const part = new Part({
    ...{ name: 'greedy', file, watch, log: logger('test') },
    start: () => ({ type: 'start', config, token: tokens.shift() ?? 'healthy' }),
    onRestart: (info, ended) => restart.resolve({ info, after: ended }),
  });
  parts.push(part);
  const before = await part.start();
  assert.equal(before['after'], undefined);
  const outcome = await restart.promise;
  assert.notEqual(outcome.info['pid'], before['pid']);
  assert.equal(outcome.info['after'], outcome.after, 'the successor was told');
  return outcome;
}

describe('the watchdog', { concurrency: true }, () => {
  it('ends a process that grows above its memory limit', async () => {
    assert.equal((await restarted('grow', generous)).after, 'memory');
  });

  it('ends a process whose event loop stands still', async () => {
    assert.equal((await restarted('stall', { ...generous, silentS: 5 })).after, 'stalled');
  });

  it('ends a restarted process that does not come to serve', async () => {
    assert.equal((await restarted(['exit', 'hang'], { ...generous, startS: 10 })).after, 'stalled');
  });

  it('lets a process that served come back at once however often it dies, and waits longer only while starts fail', async () => {
    const delays: unknown[] = [];
    const note = ({ delayMs }: { delayMs: number }) => void delays.push(delayMs);
    const log = { warn: note, error: () => undefined } as unknown as Logger;
    const tokens = ['exit', 'exit', 'exit', 'refuse', 'refuse', 'exit'];
    const healthy = Promise.withResolvers<void>();
    const part = new Part({
      ...{ name: 'greedy', file, log },
      start: () => ({ type: 'start', config, token: tokens.shift() ?? 'healthy' }),
      onRestart: () => delays.length === 6 && healthy.resolve(),
    });
    parts.push(part);
    await part.start();
    await healthy.promise;
    assert.deepEqual(delays, [100, 100, 100, 500, 1_000, 100]);
  });

  it('counts only its own time: signs that come keep it quiet', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const ends: WatchEnd[] = [];
    const watchdog = new Watchdog({ memoryBytes: 100, silentS: 3 }, (reason) => ends.push(reason));
    for (let i = 0; i < 10; i++) {
      t.mock.timers.tick(3_000);
      watchdog.sign(100);
    }
    assert.equal(ends.length, 0);
    t.mock.timers.tick(4_000);
    t.mock.timers.tick(60_000);
    assert.deepEqual(ends, ['stalled'], 'once');
    const second = new Watchdog({ memoryBytes: 100, silentS: 3 }, (reason) => ends.push(reason));
    second.sign(101);
    assert.deepEqual(ends, ['stalled', 'memory']);
  });
});
