/** Checks policies when they are written: syntax, and every name and type against the schema. */
import { policySetTextToParts, policyToJson, validate } from '@cedar-policy/cedar-wasm/nodejs';
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

const idPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
/** Ids that decisions use for themselves. */
const reserved = new Set(['default-deny', 'credential-scope', 'revocation', ...Object.keys(linkPolicies)]);

/**
 * @param policies Cedar text by id.
 * @throws PolicyError for the first fault found.
 */
export function validatePolicies(policies: Readonly<Record<string, string>>): void {
  for (const id of Object.keys(policies)) {
    if (!idPattern.test(id) || reserved.has(id)) {
      throw new PolicyError('policy_id', `The policy id ${JSON.stringify(id)} cannot be used.`);
    }
  }
  const answer = validate({ schema: policySchema, policies: { staticPolicies: { ...policies } } });
  if (answer.type === 'failure') {
    throw new PolicyError(
      'policy_syntax',
      `Cedar cannot read the policies: ${answer.errors[0]?.message ?? 'unknown'}.`,
    );
  }
  const [fault] = answer.validationErrors;
  if (fault !== undefined) {
    throw new PolicyError('policy_invalid', `The policy ${fault.policyId} is refused: ${fault.error.message}.`);
  }
}

/**
 * Splits one text into policies: the id is the `@id("…")` annotation, else `policy0`, `policy1`, … by position.
 * @throws PolicyError
 */
export function splitPolicies(text: string): Record<string, string> {
  const parts = policySetTextToParts(text);
  if (parts.type === 'failure') {
    throw new PolicyError('policy_syntax', `Cedar cannot read the policies: ${parts.errors[0]?.message ?? 'unknown'}.`);
  }
  if (parts.policy_templates.length > 0) {
    throw new PolicyError('policy_template', 'Policy templates are not supported; write each policy out.');
  }
  const policies: Record<string, string> = {};
  for (const [index, policy] of parts.policies.entries()) {
    const id = annotatedId(policy) ?? `policy${index}`;
    if (id in policies) throw new PolicyError('policy_id', `The policy id ${JSON.stringify(id)} is used twice.`);
    policies[id] = policy;
  }
  return policies;
}

function annotatedId(policy: string): string | undefined {
  const parsed = policyToJson(policy);
  return parsed.type === 'success' ? parsed.json.annotations?.['id'] : undefined;
}
