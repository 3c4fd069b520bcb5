/** Asks the policy in force about one person and one service, with their proofs and posture as they are now. */
import { amrBit } from '../../protocol/svid.ts';
import type { AuditEvent } from '../channel/audit-event.ts';
import type { ServiceRecord } from '../channel/snapshot-content.ts';
import { amrNames } from '../policy/amr.ts';
import { kindsOf } from '../policy/kinds.ts';
import { decideLaunchBy, type LaunchDecision } from '../policy/launch.ts';
import { type PrincipalView, unknownAgeS } from '../policy/question.ts';
import { recordPrincipal } from '../policy/recorded.ts';
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

/** The decision, and in `detail` what it rests on, both as the audit event takes them. */
export type RecordedLaunch = LaunchDecision & { readonly detail: NonNullable<AuditEvent['detail']> };

/**
 * May this person have a credential for this service?
 * @param steppedUpAt when there was a touch of the passkey in this launch
 */
export function decideLaunch(
  context: Context,
  desk: PolicyDesk,
  who: SignedIn,
  posture: PostureFacts,
  service: string,
  steppedUpAt: number | null = null,
): RecordedLaunch {
  const now = context.clock.now();
  const isFresh = stepUpEnds(steppedUpAt) > now;
  const authenticatedAt = who.facts?.verifiedAt ?? who.idp?.authenticatedAt;
  const principal: PrincipalView = {
    ...(who.guest === undefined ? { user: who.user, device: who.device } : { link: who.guest }),
    atMs: now,
    amr: amrNames(isFresh ? who.amr | amrBit.stepUp : who.amr),
    authAgeS: authenticatedAt === undefined ? unknownAgeS : (now - Math.max(authenticatedAt, steppedUpAt ?? 0)) / 1_000,
    ...(who.idp !== undefined && { idp: who.idp }),
    posture: postureView(now, posture.time, posture.signals, who.facts),
  };
  const scheme = findService(desk, service)?.scheme;
  const kinds = scheme === undefined ? [] : kindsOf(scheme);
  return { ...decideLaunchBy(desk.engine, principal, service, kinds), detail: recordPrincipal(principal) };
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
