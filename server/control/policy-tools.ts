/** What helps to write policies: what a draft would replace, why a question is decided as it is. Changes nothing. */
import { amrBit } from '../../protocol/svid.ts';
import type { AmrName } from '../policy/amr.ts';
import { type Danger, dangersOf } from '../policy/dangers.ts';
import { type Explanation, effectOf, explain } from '../policy/explain.ts';
import type { PrincipalView, Question } from '../policy/question.ts';
import type { Action, PolicySignal } from '../policy/schema.ts';
import {
  type CheckedPolicies,
  checkPolicies,
  type GivenPolicies,
  PolicyError,
  readPolicies,
} from '../policy/validate.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import type { PolicyDesk } from './policy-desk.ts';

export interface PolicyDifference {
  readonly added: string[];
  readonly removed: string[];
  readonly changed: string[];
}

export interface CheckedDraft extends Omit<CheckedPolicies, 'policies'> {
  readonly policies: readonly { readonly id: string; readonly effect: 'permit' | 'forbid'; readonly text: string }[];
  /** Ids, against the policies in force; none where there are faults. */
  readonly difference: PolicyDifference;
  /** Why it would need two administrators; none where the policies in force are as dangerous already. */
  readonly dangers: readonly Danger[];
}

export function checkDraft(context: Context, desk: PolicyDesk, given: GivenPolicies): CheckedDraft {
  const { policies, faults, warnings } = checkPolicies(given);
  const listed = Object.entries(policies).map(([id, text]) => ({ id, effect: effectOf(text), text }));
  if (faults.length > 0) {
    return { policies: listed, faults, warnings, difference: { added: [], removed: [], changed: [] }, dangers: [] };
  }
  const difference = differenceOf(desk.content.policies, policies);
  return { policies: listed, faults, warnings, difference, dangers: newDangers(context, desk, policies) };
}

/** Dangers of a draft that the policies in force do not have already. */
export function newDangers(context: Context, desk: PolicyDesk, draft: Readonly<Record<string, string>>): Danger[] {
  const now = context.clock.now();
  const known = new Set(dangersOf(desk.content.policies, now).map(({ code }) => code));
  return dangersOf(draft, now).filter(({ code }) => !known.has(code));
}

/** Which policies a draft adds, takes away and rewrites. */
function differenceOf(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): PolicyDifference {
  const [old, fresh] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  const kept = [...fresh.keys()].filter((id) => old.has(id));
  return {
    added: [...fresh.keys()].filter((id) => !old.has(id)).sort(),
    removed: [...old.keys()].filter((id) => !fresh.has(id)).sort(),
    changed: kept.filter((id) => old.get(id) !== fresh.get(id)).sort(),
  };
}

/** A question in an administrator's words; what is not said is as after a sign-in with a passkey a moment ago. */
export interface ExplainRequest {
  /** A person's id, or their name where only one has it. */
  readonly user?: string | undefined;
  /** Or a guest: a link's id, and which use. */
  readonly link?: string | undefined;
  readonly use?: number | undefined;
  readonly device?: string | undefined;
  readonly service: string;
  readonly action: Action;
  /** ms since 1970 */
  readonly at?: number | undefined;
  readonly amr?: readonly AmrName[] | undefined;
  readonly authAgeS?: number | undefined;
  readonly postureAgeS?: number | undefined;
  readonly signals?: Partial<Record<PolicySignal, string | number | boolean>> | undefined;
  readonly kind?: string | undefined;
  readonly method?: string | undefined;
  readonly path?: string | undefined;
  /** Policies to ask instead of those in force. */
  readonly draft?: GivenPolicies | undefined;
}

/** @throws ApiError `user_unknown`, `link_unknown`, `service_unknown`, and those of policies that cannot be read */
export function explainFor(context: Context, desk: PolicyDesk, request: ExplainRequest): Explanation {
  const { service, action, kind, method, path } = request;
  if (!desk.content.services.some(({ name }) => name === service)) throw new ApiError('service_unknown');
  const question: Question = {
    principal: principalOf(context, desk, request),
    action,
    service,
    context: { ...(kind && { kind }), ...(method && { method }), ...(path && { path }) },
  };
  const policies = request.draft === undefined ? desk.content.policies : readGiven(request.draft);
  return explain({ ...desk.content, policies }, question);
}

function principalOf(context: Context, desk: PolicyDesk, request: ExplainRequest): PrincipalView {
  const { link, use = 1, device, authAgeS = 0 } = request;
  const facts = {
    atMs: request.at ?? context.clock.now(),
    amr: request.amr ?? (link === undefined ? (['passkey', 'deviceKey'] as const) : (['guestLink'] as const)),
    authAgeS,
    posture: { ageS: request.postureAgeS ?? 0, signals: request.signals ?? {} },
  };
  if (link === undefined) return { ...facts, user: personOf(desk, request.user ?? ''), device };
  if (!desk.content.links.some(({ id }) => id === link)) throw new ApiError('link_unknown');
  return { ...facts, link: { id: link, use } };
}

function personOf({ content }: PolicyDesk, wanted: string): string {
  const people = content.entities.filter(({ uid }) => uid.type === 'User');
  const named = people.filter(({ attrs }) => attrs['name'] === wanted);
  const [person] = people.filter(({ uid }) => uid.id === wanted).concat(named.length === 1 ? named : []);
  if (person === undefined) throw new ApiError('user_unknown');
  return person.uid.id;
}

/** @throws ApiError with Cedar's own words: the caller wrote these policies and may be told */
export function readGiven(given: GivenPolicies): Readonly<Record<string, string>> {
  try {
    return readPolicies(given);
  } catch (error) {
    if (error instanceof PolicyError) throw new ApiError(error.code, { cause: error, message: error.message });
    throw error;
  }
}

/** Ways to prove oneself that a question may name. */
export const amrNamesKnown = Object.keys(amrBit) as [AmrName, ...AmrName[]];
