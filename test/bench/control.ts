/**
 * `npm run bench -- control`: what the control plane and the policy can do on this machine. Absolute figures, for once,
 * but for the lists': they are bounds that the product promises, measured on loopback with everything in one process but
 * the store that is killed. Revocations are timed from the signing at the control plane to the moment the client's session knows.
 */

import { decisionP99Ms } from './control/decisions.ts';
import { lostCommits } from './control/kill9.ts';
import { listFigures } from './control/lists.ts';
import { loginsPerSecond } from './control/logins.ts';
import { redeemPerSecond } from './control/redemptions.ts';
import { revocationMs } from './control/revocations.ts';
import type { Figure } from './figure.ts';

export async function* figures(): AsyncIterable<Figure> {
  yield { name: 'policy.decision_p99_ms', value: decisionP99Ms(), unit: 'ms' };
  yield { name: 'links.redeem_per_s', value: await redeemPerSecond(), unit: '1/s' };
  yield { name: 'control.logins_per_s', value: await loginsPerSecond(), unit: '1/s' };
  const { p99, max } = await revocationMs();
  yield { name: 'revocation.p99_ms', value: p99, unit: 'ms' };
  yield { name: 'revocation.max_ms', value: max, unit: 'ms' };
  yield* listFigures();
  yield { name: 'store.kill9_lost_commits', value: await lostCommits(50), unit: 'commits' };
}
