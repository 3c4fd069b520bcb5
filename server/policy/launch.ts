/**
 * A launch as policy decides it: the control plane when it is asked for a credential, and again when a recorded launch is
 * asked of other policies. Pure.
 */
import type { StreamKind } from '../../protocol/codes.ts';
import type { PolicyEngine } from './engine.ts';
import { type PolicyDecision, type PrincipalView, unknownAgeS } from './question.ts';

/** Whether there is a credential, and by which policies: where a touch is still to come, by those that permit it then. */
export type LaunchDecision = Pick<PolicyDecision, 'decision' | 'policies'> & { readonly reason?: 'stepup_pending' };

/**
 * May this person have a credential for this service? Where policy asks for a fresh touch of the passkey besides, only
 * if it asks for one at each open too: the gateway asks for it, inside the tunnel that the credential is for.
 * @param kinds of streams that the service takes; none where there is no such service
 */
export function decideLaunchBy(
  engine: PolicyEngine,
  principal: PrincipalView,
  service: string,
  kinds: readonly StreamKind[],
): LaunchDecision {
  const question = { principal, action: 'launch', service } as const;
  const { decision, policies, lacks } = engine.decide(question);
  if (lacks === undefined || !opensAsk(engine, principal, service, kinds)) return { decision, policies };
  return { decision: 'allow', policies: engine.decideSteppedUp(question).policies, reason: 'stepup_pending' };
}

/** Will the gateway want a touch before it opens anything of this service? As it will see the person: without signals. */
function opensAsk(
  engine: PolicyEngine,
  { posture, idp: _, ...known }: PrincipalView,
  service: string,
  kinds: readonly StreamKind[],
): boolean {
  const principal = { ...known, authAgeS: unknownAgeS, posture: { ageS: posture.ageS } };
  return (
    kinds.length > 0 &&
    kinds.every((kind) => engine.decide({ principal, action: 'open', service, context: { kind } }).lacks === 'stepUp')
  );
}
