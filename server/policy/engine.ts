/**
 * Decides with Cedar over the content of one policy snapshot. The control plane uses it for the launcher and launches,
 * the gateway for every OPEN and every HTTP request; both from the same signed content, so they cannot disagree.
 * Pure apart from Cedar's cache of parsed policies and what is remembered of its answers: no clock, no store, no log.
 */
import { createHash } from 'node:crypto';
import { type CedarValueJson, preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import type { CedarEntity, LinkRecord, SnapshotContent } from '../channel/snapshot-content.ts';
import type { AmrName } from './amr.ts';
import { cedarTime, linkContext, linkPolicies } from './links.ts';
import type { CedarCall, IdpView, PolicyDecision, PrincipalView, Question } from './question.ts';
import { RememberedDecisions } from './remembered-decisions.ts';
import { PolicyError } from './validate.ts';

const defaultDeny: PolicyDecision = { decision: 'deny', policies: ['default-deny'] };

/** Policy sets Cedar already holds parsed, by digest: it has no way to forget one, and snapshots repeat them. */
const preparsed = new Set<string>();

export class PolicyEngine {
  readonly #policySet: string;
  readonly #entities = new Map<string, CedarEntity>();
  readonly #links = new Map<string, LinkRecord>();
  readonly #remembered: RememberedDecisions;

  /**
   * @param draft under this name the engine takes the place of the last of the name, which must decide no more
   * @throws PolicyError `policy_syntax` when the policies do not parse.
   */
  constructor(content: Pick<SnapshotContent, 'policies' | 'entities' | 'links'>, draft?: string) {
    this.#policySet = preparse({ ...content.policies, ...linkPolicies }, draft);
    for (const entity of content.entities) this.#entities.set(keyOf(entity.uid), entity);
    for (const link of content.links) this.#links.set(link.id, link);
    // Those of links apply to guests alone.
    this.#remembered = new RememberedDecisions(Object.values(content.policies));
  }

  /**
   * Default deny: an unknown user or service, a policy that errs while it is evaluated, or no permit at all.
   * @example engine.decide({ principal, action: 'open', service: 'wiki' }).decision === 'allow'
   */
  decide(question: Question): PolicyDecision {
    const decided = this.#ask(question);
    if (decided.decision === 'allow') return decided;
    return this.decideSteppedUp(question).decision === 'allow' ? { ...decided, lacks: 'stepUp' } : decided;
  }

  /** The decision that a touch of the passkey will bring about, where it is all that is missing. */
  decideSteppedUp(question: Question): PolicyDecision {
    return this.#ask(steppedUp(question));
  }

  /** The question in Cedar's form, for other policies than these; undefined where nobody knows the person, link or service. */
  call(question: Question): CedarCall | undefined {
    const principal = this.#principalOf(question.principal);
    const service = { type: 'Service', id: question.service };
    if (principal === undefined || !this.#entities.has(keyOf(service))) return undefined;
    return {
      principal: principal.uid,
      action: { type: 'Action', id: question.action },
      resource: service,
      context: contextOf(question, principal.link),
      entities: [...principal.entities, ...this.#withAncestors([principal.uid, service, ...deviceOf(question)])],
    };
  }

  #ask(question: Question): PolicyDecision {
    const call = this.call(question);
    if (call === undefined) return defaultDeny;
    return this.#remembered.of(call, () => this.#askCedar(call)) ?? defaultDeny;
  }

  /** Undefined for what Cedar cannot read. */
  #askCedar(call: CedarCall): PolicyDecision | undefined {
    const answer = statefulIsAuthorized({ ...call, preparsedPolicySetId: this.#policySet });
    if (answer.type === 'failure') return undefined;
    const { reason, errors } = answer.response.diagnostics;
    // Cedar skips a policy that errs. A skipped forbid would open what it was written to close.
    if (errors.length > 0) return { decision: 'deny', policies: errors.map((error) => error.policyId).sort() };
    if (reason.length === 0) return defaultDeny;
    return { decision: answer.response.decision, policies: [...reason].sort() };
  }

  /** Undefined for a person or a link that nobody knows. */
  #principalOf({ user, link: guest }: PrincipalView): Principal | undefined {
    if (guest === undefined) {
      const uid = { type: 'User', id: user };
      return this.#entities.has(keyOf(uid)) ? { uid, entities: [] } : undefined;
    }
    const record = this.#links.get(guest.id);
    return record === undefined ? undefined : guestOf(record, guest.use);
  }

  /** The entities a decision can reach, so that its cost does not grow with the installation. */
  #withAncestors(roots: readonly { type: string; id: string }[]): CedarEntity[] {
    const found = new Map<string, CedarEntity>();
    const queue = [...roots];
    for (let uid = queue.pop(); uid !== undefined; uid = queue.pop()) {
      const entity = this.#entities.get(keyOf(uid));
      if (entity === undefined || found.has(keyOf(uid))) continue;
      found.set(keyOf(uid), entity);
      queue.push(...entity.parents);
    }
    return [...found.values()];
  }
}

interface Principal {
  readonly uid: CedarEntity['uid'];
  /** Those that no snapshot holds. */
  readonly entities: CedarEntity[];
  readonly link?: { readonly record: LinkRecord; readonly use: number };
}

/** There may be any number of guests: their entities are made when they ask. */
function guestOf(record: LinkRecord, use: number): Principal {
  const link = { type: 'Link', id: record.id };
  const uid = { type: 'Guest', id: `${record.id}/${use}` };
  const guest = { uid, attrs: { name: `Guest ${use}` }, parents: [link] };
  return { uid, entities: [guest, { uid: link, attrs: {}, parents: [] }], link: { record, use } };
}

function preparse(policies: Readonly<Record<string, string>>, draft: string | undefined): string {
  const ordered = Object.entries(policies).sort(([a], [b]) => (a < b ? -1 : 1));
  const id = draft ?? createHash('sha256').update(JSON.stringify(ordered)).digest('base64url');
  if (draft === undefined && preparsed.has(id)) return id;
  const answer = preparsePolicySet(id, { staticPolicies: Object.fromEntries(ordered) });
  if (answer.type === 'failure') {
    throw new PolicyError(
      'policy_syntax',
      `Cedar cannot read the policies: ${answer.errors[0]?.message ?? 'unknown'}.`,
    );
  }
  if (draft === undefined) preparsed.add(id);
  return id;
}

function deviceOf({ principal: { device } }: Question): CedarEntity['uid'][] {
  return device === undefined ? [] : [{ type: 'Device', id: device }];
}

function contextOf(question: Question, link: Principal['link']): Record<string, CedarValueJson> {
  const { principal, context } = question;
  const [device] = deviceOf(question);
  return {
    ...(device !== undefined && { device: { __entity: device } }),
    ...(link !== undefined && { link: linkContext(link.record, link.use, principal.atMs) }),
    now: cedarTime(principal.atMs),
    amr: [...principal.amr],
    authAgeS: whole(principal.authAgeS),
    ...(principal.idp !== undefined && { idp: idpOf(principal.idp) }),
    posture: { ageS: whole(principal.posture.ageS), ...principal.posture.signals },
    ...context,
  };
}

function idpOf({ issuer, acr, amr }: IdpView): Record<string, CedarValueJson> {
  return { issuer, ...(acr !== undefined && { acr }), amr: [...amr] };
}

/**
 * The same question by somebody who has just touched the passkey again. A launch comes before there is a tunnel to do
 * that in: it may be forgiven the step-up, which each open asks for, but not a sign-in that policy finds too old.
 */
function steppedUp(question: Question): Question {
  const { action, principal } = question;
  const amr: AmrName[] = [...principal.amr, 'stepUp'];
  return { ...question, principal: { ...principal, amr, authAgeS: action === 'launch' ? principal.authAgeS : 0 } };
}

/** Cedar has whole numbers only; an age counts as the next full second, never younger than it is. */
function whole(seconds: number): number {
  return Math.ceil(Math.max(0, seconds));
}

function keyOf(uid: { type: string; id: string }): string {
  return `${uid.type}::${uid.id}`;
}
