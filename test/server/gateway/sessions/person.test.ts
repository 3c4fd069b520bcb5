/** What the gateway knows of a person at a decision, and what it must not guess. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amrBit, type VerifiedSvid } from '../../../../protocol/svid.ts';
import { principalOf } from '../../../../server/gateway/sessions/person.ts';
import { unknownAgeS } from '../../../../server/policy/question.ts';

const person = { spiffeId: 'spiffe://latchkey.local/user/ada/device/laptop', user: 'ada', device: 'laptop' };
const now = 1_000_000;
/** A credential that was renewed a second ago. */
const seen = (amr: number, touchAgeS: number | undefined) => {
  const svid: Partial<VerifiedSvid> = { amr, notBefore: now - 1_000 };
  const { amr: names, authAgeS } = principalOf(person, svid as VerifiedSvid, now, now, touchAgeS);
  return [names, authAgeS];
};

const { passkey, stepUp } = amrBit;
for (const [what, amr, touchAgeS, expected] of [
  ['a renewal that nobody touched anything for is no touch', passkey, undefined, [['passkey'], unknownAgeS]],
  ['a touch in this session is one', passkey, 12, [['passkey', 'stepUp'], 12]],
  ['a touch that counts no more keeps its age', passkey, 301, [['passkey'], 301]],
  ['a credential with a step-up is as old as one can be', passkey | stepUp, undefined, [['passkey', 'stepUp'], 300]],
  ['the younger of both counts', passkey | stepUp, 12, [['passkey', 'stepUp'], 12]],
] as const)
  test(`QZ-23: how long ago the person touched the passkey: ${what}`, () => {
    assert.deepEqual(seen(amr, touchAgeS), expected);
  });
