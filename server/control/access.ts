/** Asks the policy in force about one person and one service, with their proofs and posture as they are now. */

import type { ServiceRecord } from '../channel/snapshot-content.ts';
import { amrNames } from '../policy/amr.ts';
import type { PolicyDecision, PrincipalView } from '../policy/engine.ts';
import type { Context } from './context.ts';
import type { SignedIn } from './leases.ts';
import type { PolicyDesk } from './policy-desk.ts';
import { type PolicySignals, postureView } from './posture.ts';

/** Client signals and when they were made. */
export interface PostureFacts {
  readonly signals: PolicySignals;
  readonly time: number;
}

/** May this person have a credential for this service? */
export function decideLaunch(
  context: Context,
  desk: PolicyDesk,
  who: SignedIn,
  posture: PostureFacts,
  service: string,
): PolicyDecision {
  const now = context.clock.now();
  const principal: PrincipalView = {
    user: who.user,
    device: who.device,
    amr: amrNames(who.amr),
    authAgeS: (now - who.facts.verifiedAt) / 1_000,
    posture: postureView(now, posture.time, posture.signals, who.facts),
  };
  return desk.engine.decide({ principal, action: 'launch', service });
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
