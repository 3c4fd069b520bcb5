/**
 * People and the one-time links that let them in. A person exists from the moment an administrator names them; the
 * link only lets their browser and passkey join. The link's token is told once and stored as its digest.
 */
import { z } from 'zod';
import { base64url } from '../../protocol/bytes.ts';
import { origins } from '../config.ts';
import type { EnrolmentTable, UserTable } from '../store/tables/people.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { grantFirstRole, refuseOverRoles } from './admin-roles.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { digestOf, newEvent, newHandle, newId, newSecret } from './identifiers.ts';
import type { SignedIn } from './leases.ts';
import { refuseOverGroups, refuseWideGroup } from './wide-groups.ts';

/** The group the default policy permits everything. */
const adminGroup = 'admins';

const nameSchema = z
  .string()
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,64}$/u)
  .refine((name) => name.trim() === name);
const groupSchema = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/);

export interface NewPerson {
  readonly name: string;
  readonly group?: string | undefined;
}

/** For whom a link is: a person that exists, or a new one. */
export interface Invitation {
  readonly user?: string | undefined;
  readonly name?: string | undefined;
  readonly group?: string | undefined;
  /** The device that joins by it waits for an administrator. */
  readonly approval?: boolean | undefined;
  /** The device that joins by it takes the place of all the others of a person that exists. */
  readonly recovery?: boolean | undefined;
}

/** @throws ApiError `user_malformed` */
function checkPerson(person: NewPerson): void {
  const right =
    nameSchema.safeParse(person.name).success &&
    (person.group === undefined || groupSchema.safeParse(person.group).success);
  if (!right) throw new ApiError('user_malformed');
}

/** A person whom a link lets in later. @throws ApiError `user_malformed`, `group_needed` */
export async function newPerson(context: Context, person: NewPerson): Promise<UserTable> {
  checkPerson(person);
  return context.audit.transact((transaction) => addPerson(context, transaction, person));
}

/** Creates a person inside a transaction. @throws ApiError `group_needed` */
async function addPerson(
  context: Context,
  transaction: StoreTransaction,
  { name, group }: NewPerson,
): Promise<UserTable> {
  await refuseWideGroup(context, transaction, group);
  const user: UserTable = {
    id: newId(),
    handle: newHandle(),
    name,
    created_at: context.clock.now(),
    disabled_at: null,
    disabled_reason: null,
    link_id: null,
    link_use: null,
  };
  await transaction.insertInto('users').values(user).execute();
  if (group !== undefined) {
    await transaction.insertInto('user_groups').values({ user_id: user.id, group_name: group }).execute();
  }
  const detail = { operation: 'user.add', name, ...(group !== undefined && { group }) };
  await context.audit.record(
    transaction,
    newEvent(context, { type: 'admin', actor: 'system', subject: user.id, detail }),
  );
  return user;
}

/**
 * Makes an enrolment link: for a person that exists (`user`), or for a new one (`name`, `group`).
 * @returns the URL, the only place its secret is told.
 * @throws ApiError `user_unknown`, `user_malformed`, `role_needed`, `group_needed`
 */
export async function inviteToEnrol(
  context: Context,
  request: Invitation,
): Promise<{ url: string; user: string; expires: number }> {
  const { user: existing, name, group, recovery = false } = request;
  if (existing === undefined && (name === undefined || recovery)) throw new ApiError('user_malformed');
  if (name !== undefined) checkPerson({ name, group });
  return context.audit.transact(async (transaction) => {
    const user =
      existing === undefined
        ? (await addPerson(context, transaction, { name: name ?? '', group })).id
        : await personToInvite(context, transaction, existing);
    const terms = { ...noTerms, approval: request.approval === true, recovery };
    if (recovery) await withdrawRecoveryLinks(context, transaction, user);
    return { ...(await addLink(context, transaction, user, terms)), user };
  });
}

/**
 * The link of a new installation: for its first administrator, while there is none. A new one takes the old one's
 * place, so at most one works. Whoever comes by a page gets none: they would make themselves an administrator.
 * @returns null once an administrator has a passkey. @throws ApiError `role_needed`
 */
export async function inviteFirstAdmin(context: Context): Promise<{ url: string; expires: number } | null> {
  if (context.actor !== undefined) throw new ApiError('role_needed');
  return context.audit.transact(async (transaction) => {
    if (await hasAdmin(transaction)) return null;
    const pending = await transaction
      .updateTable('enrolments')
      .set({ revoked_at: context.clock.now() })
      .where('first', '=', 1)
      .where('used_at', 'is', null)
      .returning('user_id')
      .execute();
    const user = pending[0]?.user_id ?? (await addFirstAdmin(context, transaction));
    return addLink(context, transaction, user, { ...noTerms, first: true });
  });
}

async function addFirstAdmin(context: Context, transaction: StoreTransaction): Promise<string> {
  const { id } = await addPerson(context, transaction, { name: 'Administrator', group: adminGroup });
  await grantFirstRole(context, transaction, id);
  return id;
}

/**
 * A person wants another device. A script in their page could ask for one as well, so an administrator approves it
 * before it signs in. @throws ApiError `unauthenticated` for a guest, who has one browser
 */
export function inviteOwnDevice(context: Context, who: SignedIn): Promise<{ url: string; expires: number }> {
  if (who.guest !== undefined) throw new ApiError('unauthenticated');
  return context.audit.transact((transaction) =>
    addLink(context, transaction, who.user, { ...noTerms, approval: true, actor: who.spiffeId }),
  );
}

/** @throws ApiError `role_needed`, `group_needed`, `user_unknown` */
async function personToInvite(context: Context, transaction: StoreTransaction, id: string): Promise<string> {
  await refuseOverRoles(context, transaction, id);
  await refuseOverGroups(context, transaction, id);
  const user = await transaction
    .selectFrom('users')
    .select('id')
    .where('id', '=', id)
    .where('disabled_at', 'is', null)
    // A guest comes by their link.
    .where('link_id', 'is', null)
    .executeTakeFirst();
  if (user === undefined) throw new ApiError('user_unknown');
  return user.id;
}

async function hasAdmin(transaction: StoreTransaction): Promise<boolean> {
  const admin = await transaction
    .selectFrom('users')
    .innerJoin('user_groups', 'user_groups.user_id', 'users.id')
    .innerJoin('credentials', 'credentials.user_id', 'users.id')
    .select('users.id')
    .where('user_groups.group_name', '=', adminGroup)
    .where('users.disabled_at', 'is', null)
    .where('credentials.revoked_at', 'is', null)
    .executeTakeFirst();
  return admin !== undefined;
}

/** Of an administrator's link; one that takes a person over is good for an hour. */
const noTerms = { first: false, approval: false, recovery: false, actor: 'system' };
const recoveryMs = 3_600_000;

/** At most one works. */
async function withdrawRecoveryLinks(context: Context, transaction: StoreTransaction, user: string): Promise<void> {
  await transaction
    .updateTable('enrolments')
    .set({ revoked_at: context.clock.now() })
    .where('user_id', '=', user)
    .where('recovery', '=', 1)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .execute();
}

async function addLink(
  context: Context,
  transaction: StoreTransaction,
  user: string,
  { first, approval, recovery, actor }: typeof noTerms,
): Promise<{ url: string; expires: number }> {
  const token = newSecret();
  const now = context.clock.now();
  const link: EnrolmentTable = {
    id: newId(),
    token_hash: digestOf(token),
    user_id: user,
    first: first ? 1 : 0,
    approval: approval ? 1 : 0,
    recovery: recovery ? 1 : 0,
    created_at: now,
    expires_at:
      now + Math.min(context.config.timers.enrolmentS * 1_000, recovery ? recoveryMs : Number.POSITIVE_INFINITY),
    used_at: null,
    revoked_at: null,
  };
  await transaction.insertInto('enrolments').values(link).execute();
  const detail = { operation: 'enrolment.create', link: link.id, first, approval, recovery };
  await context.audit.record(transaction, newEvent(context, { type: 'admin', actor, subject: user, detail }));
  // In the fragment, which browsers never send: neither the token nor the fingerprint reaches a server log.
  const page = recovery ? 'regain' : 'enrol';
  const url = `${origins.hub(context.config)}/${page}#${token}.${base64url(context.pki.fingerprint)}`;
  return { url, expires: link.expires_at };
}

/** @throws ApiError `enrolment_unknown`, `enrolment_used`, `enrolment_expired` */
export async function findEnrolment(
  context: Context,
  where: { readonly token: string } | { readonly id: string },
): Promise<EnrolmentTable & Pick<UserTable, 'handle' | 'name'>> {
  const query = context.store
    .selectFrom('enrolments')
    .innerJoin('users', 'users.id', 'enrolments.user_id')
    .selectAll('enrolments')
    .select(['users.handle', 'users.name', 'users.disabled_at']);
  const link = await ('token' in where
    ? query.where('token_hash', '=', digestOf(where.token))
    : query.where('enrolments.id', '=', where.id)
  ).executeTakeFirst();
  if (link === undefined || link.revoked_at !== null || link.disabled_at !== null)
    throw new ApiError('enrolment_unknown');
  if (link.used_at !== null) throw new ApiError('enrolment_used');
  if (link.expires_at <= context.clock.now()) throw new ApiError('enrolment_expired');
  return link;
}

/** Uses a link up; of any number of callers exactly one succeeds. @throws ApiError `enrolment_used` */
export async function useEnrolment(context: Context, transaction: StoreTransaction, id: string): Promise<void> {
  const { numUpdatedRows } = await transaction
    .updateTable('enrolments')
    .set({ used_at: context.clock.now() })
    .where('id', '=', id)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw new ApiError('enrolment_used');
}
