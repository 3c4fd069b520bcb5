/** Asks the policy in force about one person and one service, with their proofs and posture as they are now. */

import { amrBit } from '../../protocol/svid.ts';
import type { ServiceRecord } from '../channel/snapshot-content.ts';
import { amrNames } from '../policy/amr.ts';
import type { PolicyDecision, PrincipalView } from '../policy/engine.ts';
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

/**
 * May this person have a credential for this service? Where policy asks for a fresh touch of the passkey besides, yes:
 * the gateway asks for it, inside the tunnel that the credential is for.
 * @param steppedUpAt when there was one in this launch
 */
export function decideLaunch(
  context: Context,
  desk: PolicyDesk,
  who: SignedIn,
  posture: PostureFacts,
  service: string,
  steppedUpAt: number | null = null,
): PolicyDecision {
  const now = context.clock.now();
  const isFresh = stepUpEnds(steppedUpAt) > now;
  const principal: PrincipalView = {
    user: who.user,
    device: who.device,
    amr: amrNames(isFresh ? who.amr | amrBit.stepUp : who.amr),
    authAgeS: (now - Math.max(who.facts.verifiedAt, steppedUpAt ?? 0)) / 1_000,
    posture: postureView(now, posture.time, posture.signals, who.facts),
  };
  const decided = desk.engine.decide({ principal, action: 'launch', service });
  return decided.lacks === undefined ? decided : { decision: 'allow', policies: decided.policies };
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
