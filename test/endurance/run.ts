/**
 * `npm run soak [-- NAME --option N …]`: what a tunnel must bear for long. Prints figures as JSON, one a line; ends with 1
 * when something was lost. The short form of each is in test/e2e/endurance.test.ts.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuilt } from '../../server/build.ts';
import type { Figure } from '../bench/figure.ts';
import { idleSessions } from './idle.ts';
import { killGateway } from './kill.ts';
import { lossyPath } from './loss.ts';
import { rekeyUnderLoad } from './rekey.ts';
import { soak } from './soak.ts';

const number = { type: 'string' } as const;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: number, times: number, sessions: number, mebibytes: number, loss: number, seed: number },
});
const given = (value: string | undefined, otherwise: number) => (value === undefined ? otherwise : Number(value));
const seed = given(values.seed, Date.now() % 1e9);

/** What each takes by default is what it is meant to bear. */
const runs: Record<string, () => Promise<Figure[]>> = {
  soak: () => soak({ minutes: given(values.minutes, 45) }),
  kill: () => killGateway({ times: given(values.times, 50), seed }),
  idle: () =>
    idleSessions({
      sessions: given(values.sessions, 2_000),
      minutes: given(values.minutes, 10),
      rekeyAfterS: 120,
    }),
  rekey: () => rekeyUnderLoad({ rekeys: given(values.times, 300), loss: given(values.loss, 2) / 100, seed }),
  loss: () => lossyPath({ bytes: given(values.mebibytes, 100) * 2 ** 20, seed, losses: [0, 0.01, 0.05, 0.2] }),
};

const run = runs[positionals[0] ?? 'soak'];
if (run === undefined || Object.values(values).some((value) => !/^\d+$/.test(value))) {
  console.error(
    `usage: npm run soak -- [${Object.keys(runs).join('|')}] [--minutes N] [--times N] [--sessions N] [--mebibytes N] [--loss PERCENT] [--seed N]`,
  );
  process.exit(2);
}
process.env['PATH'] = `${join(import.meta.dirname, '../../node_modules/.bin')}:${process.env['PATH']}`;
await ensureBuilt();
console.log(JSON.stringify({ name: 'seed', value: seed, unit: '' }));
for (const { name, value, unit } of await run())
  console.log(JSON.stringify({ name, value: Number(value.toPrecision(4)), unit }));
process.exit(0);
