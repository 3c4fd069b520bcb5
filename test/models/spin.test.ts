/** docs/models/*.pml: what is claimed holds in every state, and each planted bug is found. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needsSpin, spin } from './checker.ts';

const sound: [claim: string, model: string, leastStates: number, ...options: string[]][] = [
  ['QZ-17: every run can reach the last epoch', 'rekey.pml', 500_000, '-run'],
  [
    'QZ-16: no nonce is used twice and no datagram taken twice, to the end of every run',
    'rekey.pml',
    500_000,
    '-run',
    '-noclaim',
  ],
  [
    'no key operation without the cookie of that offer, which is good once; one RETRY an attempt',
    'retry.pml',
    10_000,
    '-run',
  ],
  ['a step-up counts once, in the tunnel it was made in, also across a rekey', 'stepup.pml', 100_000, '-run'],
];
for (const [claim, model, leastStates, ...options] of sound)
  test(`${model}: ${claim}`, needsSpin, async () => {
    const search = await spin(model, ...options);
    assert.equal(search.violated, undefined);
    assert.equal(search.errors, 0);
    assert.ok(search.states >= leastStates, `only ${search.states} states`);
  });

const planted: [bug: string, model: string, ...defines: string[]][] = [
  ['a key that a repeated RESP installs again', 'rekey.pml', '-DKRACK', '-DDUP'],
  ['a cookie that is good for any offer', 'retry.pml', '-DNOCORE'],
  ['a client that answers every RETRY', 'retry.pml', '-DNOLIMIT'],
  ['a cookie that is good more than once', 'retry.pml', '-DREUSE'],
  ['a step-up challenge without the exporter', 'stepup.pml', '-DNOEXP'],
  ['a nonce that may be answered twice', 'stepup.pml', '-DREUSE'],
  ['a gateway that takes the exporter when the answer comes', 'stepup.pml', '-DLATE'],
];
for (const [bug, model, ...defines] of planted)
  test(`${model}: finds ${bug}`, needsSpin, async () => {
    const search = await spin(model, ...defines, '-run');
    assert.equal(search.errors, 1);
    assert.notEqual(search.violated, undefined);
  });
