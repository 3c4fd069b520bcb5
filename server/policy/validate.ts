/**
 * Checks policies when they are written: syntax, and every name and type against the schema. Everything that is wrong is
 * found at once, with its place, for an editor; whoever puts policies in force is stopped by the first fault.
 */
import {
  type DetailedError,
  policySetTextToParts,
  policyToJson,
  type ValidationError,
  validate,
} from '@cedar-policy/cedar-wasm/nodejs';
import { linkPolicies } from './links.ts';
import { policySchema } from './schema.ts';

export type PolicyErrorCode = 'policy_syntax' | 'policy_invalid' | 'policy_id' | 'policy_template';

/** A policy set that cannot be used. The message names the policy and what Cedar says of it. */
export class PolicyError extends Error {
  readonly code: PolicyErrorCode;
  constructor(code: PolicyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PolicyError';
    this.code = code;
  }
}

export interface PolicyRemark {
  /** In a sentence, with Cedar's own words. */
  readonly message: string;
  /** The policy it is about, where it is about one. */
  readonly policy?: string;
  /** From 1; in the text as a whole, or in the policy where policies were given one by one. */
  readonly line?: number;
  readonly column?: number;
}
export type PolicyFault = PolicyRemark & { readonly code: PolicyErrorCode };

export interface CheckedPolicies {
  /** Cedar text by id: as far as the text could be split. */
  readonly policies: Readonly<Record<string, string>>;
  /** None: the policies can be put in force. */
  readonly faults: readonly PolicyFault[];
  /** What is allowed and probably not meant, such as a policy that never applies. */
  readonly warnings: readonly PolicyRemark[];
}

/** One text, or texts by id. */
export type GivenPolicies = string | Readonly<Record<string, string>>;

const idPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
/** Ids that decisions use for themselves. */
const reserved = new Set(['default-deny', 'credential-scope', 'revocation', ...Object.keys(linkPolicies)]);

/** Everything that is wrong with policies. Pure. */
export function checkPolicies(given: GivenPolicies): CheckedPolicies {
  if (typeof given !== 'string') return { policies: { ...given }, ...judge(given, () => undefined) };
  const { policies, starts, faults } = split(given);
  if (faults.length > 0) return { policies, faults, warnings: [] };
  return {
    policies,
    ...judge(policies, (id, offset) => placeOf(given, byteLength(given.slice(0, starts.get(id))) + offset)),
  };
}

/** @returns Cedar text by id. @throws PolicyError for the first fault found */
export function readPolicies(given: GivenPolicies): Readonly<Record<string, string>> {
  const { policies, faults } = checkPolicies(given);
  const [fault] = faults;
  if (fault !== undefined) throw new PolicyError(fault.code, fault.message);
  return policies;
}

interface Split {
  readonly policies: Readonly<Record<string, string>>;
  /** Where each begins in the text, in characters. */
  readonly starts: ReadonlyMap<string, number>;
  readonly faults: PolicyFault[];
}

/** The id of a policy is its `@id("…")` annotation, else `policy0`, `policy1`, … by position. */
function split(text: string): Split {
  const [policies, starts] = [new Map<string, string>(), new Map<string, number>()];
  const parts = policySetTextToParts(text);
  if (parts.type === 'failure') {
    return { policies: {}, starts, faults: parts.errors.map((error) => unread(error, text)) };
  }
  const faults: PolicyFault[] = parts.policy_templates.map((template) => ({
    code: 'policy_template',
    message: 'Policy templates are not supported; write each policy out.',
    ...placeOf(text, byteLength(text.slice(0, text.indexOf(template)))),
  }));
  let from = 0;
  for (const [index, policy] of parts.policies.entries()) {
    const id = annotatedId(policy) ?? `policy${index}`;
    const start = text.indexOf(policy, from);
    from = start + policy.length;
    if (policies.has(id)) {
      const message = `The policy id ${JSON.stringify(id)} is used twice.`;
      faults.push({ code: 'policy_id', message, policy: id, ...placeOf(text, byteLength(text.slice(0, start))) });
    }
    policies.set(id, policy);
    starts.set(id, start);
  }
  return { policies: Object.fromEntries(policies), starts, faults };
}

function unread(error: DetailedError | undefined, text?: string): PolicyFault {
  const start = error?.sourceLocations?.[0]?.start;
  const place = text === undefined || start === undefined ? undefined : placeOf(text, start);
  return { code: 'policy_syntax', message: `Cedar cannot read the policies: ${wordsOf(error)}.`, ...place };
}

type PlaceIn = (id: string, offset: number) => { line: number; column: number } | undefined;

function judge(
  policies: Readonly<Record<string, string>>,
  placeIn: PlaceIn,
): Pick<CheckedPolicies, 'faults' | 'warnings'> {
  const ids = Object.keys(policies).filter((id) => !idPattern.test(id) || reserved.has(id));
  if (ids.length > 0) {
    const unusable = ids.map((id) => ({
      code: 'policy_id' as const,
      message: `The policy id ${JSON.stringify(id)} cannot be used.`,
      policy: id,
    }));
    return { faults: unusable, warnings: [] };
  }
  const answer = validate({ schema: policySchema, policies: { staticPolicies: { ...policies } } });
  if (answer.type === 'failure') return { faults: [unread(answer.errors[0])], warnings: [] };
  const remark = ({ policyId, error }: ValidationError, what: string): PolicyRemark => ({
    message: `The policy ${policyId} ${what}: ${wordsOf(error)}.`,
    policy: policyId,
    ...placed(policies, policyId, error, placeIn),
  });
  return {
    faults: inPlace(answer.validationErrors.map((one) => remark(one, 'is refused'))).map((one) => ({
      code: 'policy_invalid',
      ...one,
    })),
    warnings: inPlace(answer.validationWarnings.map((one) => remark(one, 'may not be what was meant'))),
  };
}

/** Cedar says the same once for each action: the first at a place is kept, in the order of places. */
function inPlace(remarks: readonly PolicyRemark[]): PolicyRemark[] {
  const first = new Map<string, PolicyRemark>();
  for (const one of remarks) {
    const place = `${one.policy} ${one.line} ${one.column}`;
    if (!first.has(place)) first.set(place, one);
  }
  return [...first.values()].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}

function placed(
  policies: Readonly<Record<string, string>>,
  id: string,
  { sourceLocations }: DetailedError,
  placeIn: PlaceIn,
) {
  const offset = sourceLocations?.[0]?.start ?? 0;
  return placeIn(id, offset) ?? placeOf(policies[id] ?? '', offset);
}

/** Cedar's words without the name that stands before them already. */
function wordsOf(error: DetailedError | undefined): string {
  const words = (error?.message ?? 'unknown').replace(/^for policy `[^`]*`, /, '');
  return error?.help == null ? words : `${words} (${error.help})`;
}

/** @param offset in bytes of UTF-8, as Cedar counts */
function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = Buffer.from(text, 'utf8').subarray(0, offset).toString('utf8');
  const lines = before.split('\n');
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}

function byteLength(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

function annotatedId(policy: string): string | undefined {
  const parsed = policyToJson(policy);
  return parsed.type === 'success' ? parsed.json.annotations?.['id'] : undefined;
}
