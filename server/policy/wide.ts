/**
 * How far the policies reach that speak of a group or a person: read from their own structure, not asked, because
 * what a policy wants besides (an hour, a model of key) can be fulfilled later. Conditions of a permit only ever narrow, so of
 * those it counts whom they name and not what they say; a forbid that spares whom it names gives them what is permitted to
 * everybody. Pure.
 */
import { type PolicyJson, policyToJson } from '@cedar-policy/cedar-wasm/nodejs';
import { PolicyError } from './validate.ts';

/** A group by its name, or a person by their id. */
export interface Party {
  readonly type: 'Group' | 'User';
  readonly id: string;
}

/** A service that there is. */
export interface Placed {
  readonly name: string;
  readonly namespace: string;
}

/** Operators of Cedar's JSON format by which being in a group can be what is not forbidden. */
const turning: ReadonlySet<string> = new Set(['!', '==', '!=', 'if-then-else']);

type Policies = Readonly<Record<string, string>>;
type Named = { readonly type: string; readonly id: string };

/**
 * Whether permits that name one of these lead to every service: by no limit in their scope, or by all that they reach
 * together. The only service there is, by its own name, is not every service; the only namespace is.
 * @throws PolicyError `policy_syntax`
 */
export function isWide(policies: Policies, parties: readonly Party[], services: readonly Placed[]): boolean {
  const read = readAll(policies);
  const areSpared = read.some((one) => one.effect === 'forbid' && namesAny(sparedBy(one), parties));
  const scopes = read
    .filter((one) => one.effect === 'permit' && (namesAny(whomOf(one), parties) || (areSpared && isForAll(one))))
    .map(({ resource }) => scopeOf(resource));
  if (scopes.includes('every')) return true;
  const limits = scopes.filter((scope) => scope !== 'every');
  // Where nothing is yet, what comes first comes here.
  const there = services.length > 0 ? services : [{ name: '', namespace: 'default' }];
  const reached = (kinds: readonly string[]) =>
    there.every((one) => limits.some((limit) => kinds.includes(limit.type) && isIn(one, limit)));
  return reached(['Namespace']) || (there.length > 1 && reached(['Namespace', 'Service']));
}

/** Whether a permit without any limit or condition is for one of these. @throws PolicyError `policy_syntax` */
export function isUnlimited(policies: Policies, parties: readonly Party[]): boolean {
  return readAll(policies).some(
    ({ effect, principal, action, resource, conditions }) =>
      effect === 'permit' &&
      conditions.length === 0 &&
      action.op === 'All' &&
      scopeOf(resource) === 'every' &&
      namesAny(entitiesIn(principal), parties),
  );
}

function readAll(policies: Policies): PolicyJson[] {
  return Object.entries(policies).map(([id, text]) => {
    const answer = policyToJson(text);
    if (answer.type === 'failure') throw new PolicyError('policy_syntax', `Cedar cannot read the policy ${id}.`);
    return answer.json;
  });
}

/** Whomever a permit names, wherever in it: `unless` and `!` are not told apart. */
function whomOf({ principal, conditions }: PolicyJson): Named[] {
  return entitiesIn([principal, conditions]);
}

/** Whom a forbid may mean to let through: by `unless`, or by a `when` that can turn a membership round. */
function sparedBy({ conditions }: PolicyJson): Named[] {
  return entitiesIn(conditions.filter(({ kind, body }) => kind === 'unless' || turns(body)));
}

function turns(part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return false;
  return Object.entries(part).some(([key, value]) => turning.has(key) || turns(value));
}

/** It names no group and no person. */
function isForAll(permit: PolicyJson): boolean {
  return !whomOf(permit).some(({ type }) => type === 'Group' || type === 'User');
}

/** What a permit's scope leaves of services: a namespace, one service, or every one. */
function scopeOf(resource: PolicyJson['resource']): Named | 'every' {
  return entitiesIn(resource)[0] ?? 'every';
}

/** Every entity in a part of Cedar's JSON policy format. */
function entitiesIn(part: unknown): Named[] {
  if (typeof part !== 'object' || part === null) return [];
  return isNamed(part) ? [part] : Object.values(part).flatMap(entitiesIn);
}

function isNamed(part: object): part is Named {
  return 'type' in part && 'id' in part && typeof part.type === 'string' && typeof part.id === 'string';
}

function namesAny(named: readonly Named[], parties: readonly Party[]): boolean {
  return named.some((one) => parties.some(({ type, id }) => one.type === type && one.id === id));
}

function isIn({ name, namespace }: Placed, { type, id }: Named): boolean {
  return id === (type === 'Namespace' ? namespace : name);
}
