/**
 * May this session have this stream? The credential names one service, the snapshot in force names who may; both are
 * asked for each OPEN, whatever was decided before (docs/protocol.md, "Records": OPEN). Pure.
 */
import type { StreamCode, StreamKind } from '../../../protocol/codes.ts';
import type { VerifiedSvid } from '../../../protocol/svid.ts';
import type { ServiceRecord } from '../../channel/snapshot-content.ts';
import { kindsOf } from '../../policy/kinds.ts';
import type { PrincipalView } from '../../policy/question.ts';
import type { PolicyInForce } from '../state/policy-state.ts';

export type OpenVerdict = { readonly policies: string[] } & (
  | {
      readonly decision: 'allow';
      readonly service: ServiceRecord;
      readonly policy: PolicyInForce;
      /** The service of the credential, where a page of it calls this one. */
      readonly calledFrom?: string;
    }
  | { readonly decision: 'deny'; readonly code: StreamCode; readonly reason: string }
);

/** Stands in the audit where the credential itself, not a policy, says no. */
export const credentialScope = 'credential-scope';

export interface OpenQuestion {
  readonly kind: StreamKind;
  /** As the client spelled it. */
  readonly service: string;
  readonly svid: VerifiedSvid;
  readonly principal: PrincipalView;
  /** Undefined when there is none, or none that may still be used. */
  readonly policy: PolicyInForce | undefined;
}

const deny = (code: StreamCode, reason: string, policies: string[]): OpenVerdict => ({
  decision: 'deny',
  code,
  reason,
  policies,
});

export function decideOpen({ kind, service: name, svid, principal, policy }: OpenQuestion): OpenVerdict {
  if (policy === undefined) return deny('policy_stale', 'policy_stale', ['default-deny']);
  const question = { principal, action: 'open', service: name, context: { kind } } as const;
  const { decision, policies, lacks } = policy.engine.decide(question);
  if (lacks === 'stepUp' && svid.service === name) return deny('stepup_required', 'stepup_required', policies);
  if (decision === 'deny') return deny('denied', 'policy', policies);
  const service = policy.services.get(name);
  // Policy would let this person in, but not with this credential: it was issued for another service, and this one was
  // not set to be called by the pages of that one.
  const isOwn = svid.service === name;
  const isCall = kind === 'http' && service?.corsFrom?.includes(svid.service) === true;
  if (!isOwn && !isCall) return deny('denied', 'credential_scope', [credentialScope]);
  if (service === undefined) return deny('unknown_service', 'unknown_service', policies);
  if (!kindsOf(service.scheme).includes(kind)) return deny('protocol', 'wrong_kind', policies);
  return { decision, policies, service, policy, ...(isOwn ? {} : { calledFrom: svid.service }) };
}
