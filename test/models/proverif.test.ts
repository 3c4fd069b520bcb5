/** docs/models/*.pv: each query's verdict, in the order of the file. Where ProVerif is installed, in the long form (LATCHKEY_LONG). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needsProVerif, proverif } from './checker.ts';

const [holds, falls] = ['is true', 'is false'];
const all = (count: number): string[] => Array<string>(count).fill(holds);

/** A mutant is one whose list has a `falls` in it; `-DREACH` asks whether the end is reachable at all, and a no would be a fault. */
const verdicts: [model: string, defines: string, verdicts: string[]][] = [
  ['handshake.pv', '', all(6)],
  ['handshake.pv', '-DREACH', [falls, falls]],
  ['handshake.pv', '-DQUANTUM', all(6)],
  ['handshake.pv', '-DKEMBROKEN', all(6)],
  ['handshake.pv', '-DFS', all(2)],
  ['handshake.pv', '-DHNDL', all(2)],
  ['handshake.pv', '-DRETRY', all(7)],
  ['handshake.pv', '-DRETRY -DREACH', [falls, falls]],
  ['retry.pv', '', [holds]],
  ['retry.pv', '-DREACH', [falls]],
  ['retry.pv', '-DNOCORE', [falls]],
  ['retry.pv', '-DNOADDR', [falls]],
  ['retry.pv', '-DNOMAC', [falls]],
  ['rekey.pv', '', all(3)],
  ['rekey.pv', '-DFS', [holds]],
  ['rekey.pv', '-DPCS', [holds]],
  ['rekey.pv', '-DPCS -DQ', [holds]],
  ['rekey.pv', '-DPCS -DK', [holds]],
  ['rekey.pv', '-DACTIVE', [falls, holds, holds]],
  ['launch.pv', '', all(3)],
  ['launch.pv', '-DNOPOP', [holds, holds, falls]],
  ['launch.pv', '-DUNBOUND', [falls, holds, falls]],
  ['launch.pv', '-DOPENPOST', [falls, holds, holds]],
  ['launch.pv', '-DRAWLOGIN', [holds, falls, holds]],
  ['stepup.pv', '', [holds]],
  ['stepup.pv', '-DREACH', [falls]],
  ['stepup.pv', '-DNOEXP', [falls]],
  ['stepup.pv', '-DSAMETAG', [falls]],
  ['stepup.pv', '-DRAWLOGIN', [falls]],
  ['hiding.pv', '', [holds]],
];
for (const [model, defines, expected] of verdicts)
  test(`${model} ${defines}`.trim(), needsProVerif, async () => {
    assert.deepEqual(await proverif(model, ...defines.split(' ').filter(Boolean)), expected);
  });

/** Which of the six fall differs; that the attack is found at all is what counts. */
for (const defines of ['-DMUT_NOOFFER', '-DMUT_NOID', '-DQUANTUM -DMUT_EDONLY', '-DRETRY -DMUT_NOOFFER'])
  test(`handshake.pv ${defines}: the attack is found`, needsProVerif, async () => {
    assert.ok((await proverif('handshake.pv', ...defines.split(' '))).includes(falls));
  });
