/** Asks the policy in force about one person and one service, with their proofs and posture as they are now. */

import { amrBit } from '../../protocol/svid.ts';
import type { ServiceRecord } from '../channel/snapshot-content.ts';
import { amrNames } from '../policy/amr.ts';
import { type PolicyDecision, type PrincipalView, unknownAgeS } from '../policy/engine.ts';
import { kindsOf } from '../policy/kinds.ts';
import type { Context } from './context.ts';
import type { SignedIn } from './leases.ts';
import type { PolicyDesk } from './policy-desk.ts';
import { type PolicySignals, postureView } from './posture.ts';
import { stepUpEnds } from './step-up.ts';

/** Client signals and when they were made. */
export interface PostureFacts {
  readonly signals: PolicySignals;
  readonly time: number;
}

/** Whether there is a credential, and by which policies: where a touch is still to come, by those that permit it then. */
export type LaunchDecision = Pick<PolicyDecision, 'decision' | 'policies'> & { readonly reason?: 'stepup_pending' };

/**
 * May this person have a credential for this service? Where policy asks for a fresh touch of the passkey besides, only
 * if it asks for one at each open too: the gateway asks for it, inside the tunnel that the credential is for.
 * @param steppedUpAt when there was one in this launch
 */
export function decideLaunch(
  context: Context,
  desk: PolicyDesk,
  who: SignedIn,
  posture: PostureFacts,
  service: string,
  steppedUpAt: number | null = null,
): LaunchDecision {
  const now = context.clock.now();
  const isFresh = stepUpEnds(steppedUpAt) > now;
  const principal: PrincipalView = {
    ...(who.guest === undefined ? { user: who.user, device: who.device } : { link: who.guest }),
    atMs: now,
    amr: amrNames(isFresh ? who.amr | amrBit.stepUp : who.amr),
    authAgeS: who.facts === null ? unknownAgeS : (now - Math.max(who.facts.verifiedAt, steppedUpAt ?? 0)) / 1_000,
    posture: postureView(now, posture.time, posture.signals, who.facts),
  };
  const question = { principal, action: 'launch', service } as const;
  const { decision, policies, lacks } = desk.engine.decide(question);
  if (lacks === undefined || !opensAsk(desk, principal, service)) return { decision, policies };
  return { decision: 'allow', policies: desk.engine.decideSteppedUp(question).policies, reason: 'stepup_pending' };
}

/** Will the gateway want a touch before it opens anything of this service? As it will see the person: without signals. */
function opensAsk(desk: PolicyDesk, { posture, ...known }: PrincipalView, service: string): boolean {
  const record = findService(desk, service);
  if (record === undefined) return false;
  const principal = { ...known, authAgeS: unknownAgeS, posture: { ageS: posture.ageS } };
  return kindsOf(record.scheme).every((kind) => {
    const question = { principal, action: 'open', service, context: { kind } } as const;
    return desk.engine.decide(question).lacks === 'stepUp';
  });
}

/** The services this person may launch, judged with the posture of their sign-in. */
export function launchable(context: Context, desk: PolicyDesk, who: SignedIn): ServiceRecord[] {
  const posture = { signals: who.postureSignals, time: who.postureTime };
  return desk.content.services.filter(
    ({ name }) => decideLaunch(context, desk, who, posture, name).decision === 'allow',
  );
}

/** @returns undefined for a name no service has. */
export function findService(desk: PolicyDesk, name: string): ServiceRecord | undefined {
  return desk.content.services.find((service) => service.name === name);
}
