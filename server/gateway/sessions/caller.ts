/**
 * How a service is told who is calling (issue: "Identity to the app"): the person's id, name and groups from the policy
 * in force, and a signed statement of the same, short-lived and for that one service, so that it is worth nothing
 * anywhere else. One statement serves the requests of a session for a minute, unless something in it changes.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../protocol/clock.ts';
import type { AmrName } from '../../policy/amr.ts';
import type { Caller } from '../exchange/context.ts';
import type { AssertionKeys } from '../state/assertion-keys.ts';
import type { PolicyInForce } from '../state/policy-state.ts';
import type { Person } from './person.ts';

/** A service's clock may differ by the rest of it. */
const lifeS = 120;
const reuseMs = 60_000;

/** What a statement says beside its times and its own id (RFC 7519 section 4.1 for the short names). */
interface Statement {
  /** The hub's origin, below which the keys are published. */
  readonly iss: string;
  /** The service's public origin. */
  readonly aud: string;
  readonly sub: string;
  readonly name: string;
  readonly groups: readonly string[];
  readonly device: string;
  /** How the person proved who they are, as policies name it (RFC 8176). */
  readonly amr: readonly AmrName[];
  /** The session, as the audit names it. */
  readonly sid: string;
}

/** The statements of one session. */
export class Assertions {
  readonly #keys: Pick<AssertionKeys, 'sign'>;
  readonly #clock: Pick<Clock, 'now'>;
  #last: { readonly subject: string; readonly at: number; readonly token: Promise<string> } | undefined;

  constructor(keys: Pick<AssertionKeys, 'sign'>, clock: Pick<Clock, 'now'>) {
    this.#keys = keys;
    this.#clock = clock;
  }

  for(statement: Statement): Promise<string> {
    const subject = JSON.stringify(statement);
    const now = this.#clock.now();
    const last = this.#last;
    if (last?.subject === subject && Math.abs(now - last.at) < reuseMs) return last.token;
    const iat = Math.floor(now / 1_000);
    const token = this.#keys.sign({
      ...statement,
      groups: [...statement.groups],
      ...{ iat, nbf: iat - 5, exp: iat + lifeS, jti: randomUUID() },
    });
    this.#last = { subject, at: now, token };
    return token;
  }
}

/** The person as services are told, without the signed statement. */
export function callerOf(policy: PolicyInForce, person: Person): Omit<Caller, 'assertion'> {
  const { name, groups } = peopleOf(policy).get(person.user) ?? { name: person.user, groups: [] };
  return { user: person.user, device: person.device, name, groups };
}

type Known = ReadonlyMap<string, { readonly name: string; readonly groups: readonly string[] }>;
const people = new WeakMap<PolicyInForce, Known>();

/** Read off the entities that policies speak of; built once for each snapshot. */
function peopleOf(policy: PolicyInForce): Known {
  const known = people.get(policy);
  if (known !== undefined) return known;
  const users = policy.content.entities.filter(({ uid }) => uid.type === 'User');
  const read: Known = new Map(
    users.map(({ uid, attrs, parents }) => {
      const { name } = attrs;
      const groups = parents.filter(({ type }) => type === 'Group').map(({ id }) => id);
      return [uid.id, { name: typeof name === 'string' ? name : uid.id, groups }];
    }),
  );
  people.set(policy, read);
  return read;
}
