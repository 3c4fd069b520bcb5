/**
 * Why a question is decided as it is: every policy asked by itself, so that a permit that fell short, or lost to a forbid,
 * shows as well as those that decided. For people who write policies; slower than a decision by far. Pure.
 */
import { isAuthorized, policyToJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { SnapshotContent } from '../channel/snapshot-content.ts';
import { PolicyEngine } from './engine.ts';
import { linkPolicies } from './links.ts';
import type { CedarCall, PolicyDecision, Question } from './question.ts';

export interface ConsideredPolicy {
  readonly id: string;
  readonly effect: 'permit' | 'forbid';
  /** `applies`: its scope and conditions hold. `errs`: it could not be evaluated, which denies. */
  readonly outcome: 'applies' | 'falls-short' | 'errs';
  /** Cedar's words where it errs. */
  readonly error?: string;
  readonly text: string;
}

export interface Explanation extends PolicyDecision {
  /** Of the operator, in the order of their ids; then those of links, where a guest asks. Empty where nobody knows who or what. */
  readonly considered: readonly ConsideredPolicy[];
}

/** @throws PolicyError `policy_syntax` */
export function explain(
  content: Pick<SnapshotContent, 'policies' | 'entities' | 'links'>,
  question: Question,
): Explanation {
  const engine = new PolicyEngine(content, 'explained');
  const call = engine.call(question);
  const decided = engine.decide(question);
  if (call === undefined) return { ...decided, considered: [] };
  const ofLinks = question.principal.link === undefined ? {} : linkPolicies;
  const considered = [...Object.entries(content.policies).sort(byId), ...Object.entries(ofLinks)];
  return { ...decided, considered: considered.map(([id, text]) => consider(call, id, text)) };
}

const byId = ([a]: [string, string], [b]: [string, string]) => (a < b ? -1 : 1);

function consider(call: CedarCall, id: string, text: string): ConsideredPolicy {
  const answer = isAuthorized({ ...call, policies: { staticPolicies: { [id]: text } } });
  const about = { id, effect: effectOf(text), text };
  if (answer.type === 'failure') return { ...about, outcome: 'errs', error: answer.errors[0]?.message ?? 'unknown' };
  const { reason, errors } = answer.response.diagnostics;
  const [error] = errors;
  if (error !== undefined) return { ...about, outcome: 'errs', error: error.error.message };
  return { ...about, outcome: reason.length > 0 ? 'applies' : 'falls-short' };
}

/** Of a policy that parses. */
export function effectOf(text: string): 'permit' | 'forbid' {
  const parsed = policyToJson(text);
  return parsed.type === 'success' ? parsed.json.effect : 'forbid';
}
