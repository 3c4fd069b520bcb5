/**
 * The short forms of what a tunnel must bear for long, over real processes, QUIC and WireGuard: the same code as
 * `npm run soak`, which has the long ones (test/endurance/run.ts). Times are told, never judged.
 */
import { test } from 'node:test';
import type { Figure } from '../bench/figure.ts';
import { idleSessions } from '../endurance/idle.ts';
import { killGateway } from '../endurance/kill.ts';
import { lossyPath } from '../endurance/loss.ts';
import { rekeyUnderLoad } from '../endurance/rekey.ts';
import { soak } from '../endurance/soak.ts';

const seed = Date.now() % 1e9;

function short(name: string, run: () => Promise<Figure[]>): void {
  test(name, async (context) => {
    context.diagnostic(`seed ${seed}`);
    for (const { name: what, value, unit } of await run())
      context.diagnostic(`${what} ${value.toPrecision(4)} ${unit}`);
  });
}

short(
  'BR-7: a gateway killed in mid-transfer: a download goes on or is cut, is never short, and the audit chain is whole',
  () => killGateway({ times: 2, seed }),
);

short('BR-6: 5 % of all datagrams lost, others twice, late or damaged: both directions arrive whole', () =>
  lossyPath({ bytes: 2 ** 20, seed, losses: [0, 0.05] }),
);

short('QZ-17: rekeys under load on a path that loses 2 %: no byte is lost', () =>
  rekeyUnderLoad({ rekeys: 3, seed, turnMs: 3_000, isAlone: true }),
);

short('QZ-17: idle sessions over QUIC all stay, and rekey', () =>
  idleSessions({ sessions: 60, minutes: 0.15, rekeyAfterS: 2 }),
);

short('sessions that come and go leave nothing behind', () => soak({ minutes: 0.25, mostAlive: 6 }));
