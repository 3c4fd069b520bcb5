/**
 * The devices of people: each its own key and passkey, named by its person, approved by an administrator where its
 * enrolment asked for that, revoked when it is lost and archived when nobody wants to see it any more. None is deleted.
 * Who lost one signs in with another; who lost all of them gets an administrator's recovery link (recovery.ts).
 */
import type { StoreTransaction } from '../store/tables.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { newEvent } from './identifiers.ts';
import { holds, noLimit, type Page } from './page.ts';

export interface ShownDevice {
  readonly id: string;
  readonly user: string;
  readonly userName: string;
  readonly name: string;
  readonly state: 'waiting' | 'approved' | 'revoked';
  readonly archived: boolean;
  readonly createdAt: number;
  readonly lastSignIn?: number;
  /** Model of the authenticator, and whether its passkey may leave it (WebAuthn section 6.1.3). */
  readonly aaguid?: string;
  readonly backupEligible?: boolean;
  /** What it showed of its make, and whether that leads to an authority that the operator named. */
  readonly attestation?: string;
  readonly attested?: boolean;
  readonly revokedAt?: number;
  readonly reason?: string;
}

export interface WhichDevices extends Page {
  /** Theirs alone. */
  readonly user?: string | undefined;
  /** Those as well. */
  readonly archived?: boolean | undefined;
}

/** Of people, guests' places not among them; those that wait first. @returns a page, and how many fit the search */
export async function listDevices(
  context: Pick<Context, 'store'>,
  { user, archived = false, search = '', offset = 0, limit = noLimit }: WhichDevices = {},
): Promise<{ devices: ShownDevice[]; total: number }> {
  let found = context.store
    .selectFrom('devices')
    // SQLite joins in this order then, and so reads devices in the order they are shown in.
    .crossJoin('users')
    .whereRef('users.id', '=', 'devices.user_id')
    .where('users.link_id', 'is', null);
  if (user !== undefined) found = found.where('devices.user_id', '=', user);
  if (!archived) found = found.where('devices.archived_at', 'is', null);
  if (search !== '') found = found.where(holds(['devices.name', 'users.name', 'devices.id'], search));
  const { total } = await found.select(({ fn }) => fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  const rows = await found
    .leftJoin('credentials', 'credentials.id', 'devices.credential_id')
    .selectAll('devices')
    .select(['users.name as user_name', 'credentials.aaguid', 'credentials.backup_eligible'])
    .select(['credentials.attestation', 'credentials.attested'])
    .select((device) =>
      device
        .selectFrom('leases')
        .whereRef('leases.device_id', '=', 'devices.id')
        .select(({ fn }) => fn.max('leases.created_at').as('last'))
        .as('last_sign_in'),
    )
    .orderBy(
      (device) => device.and([device('approved_at', 'is', null), device('devices.revoked_at', 'is', null)]),
      'desc',
    )
    .orderBy('devices.created_at')
    .orderBy('devices.id')
    .limit(limit)
    .offset(offset)
    .execute();
  return { devices: rows.map(shown), total };
}

interface Row {
  readonly id: string;
  readonly user_id: string;
  readonly user_name: string;
  readonly name: string;
  readonly created_at: number;
  readonly approved_at: number | null;
  readonly revoked_at: number | null;
  readonly revoked_reason: string | null;
  readonly archived_at: number | null;
  readonly aaguid: string | null;
  readonly backup_eligible: number | null;
  readonly attestation: string | null;
  readonly attested: number | null;
  readonly last_sign_in: number | null;
}

function shown(row: Row): ShownDevice {
  return {
    id: row.id,
    user: row.user_id,
    userName: row.user_name,
    name: row.name,
    state: row.revoked_at !== null ? 'revoked' : row.approved_at === null ? 'waiting' : 'approved',
    archived: row.archived_at !== null,
    createdAt: row.created_at,
    ...(row.last_sign_in !== null && { lastSignIn: row.last_sign_in }),
    ...(row.aaguid !== null && { aaguid: row.aaguid, backupEligible: row.backup_eligible === 1 }),
    ...(row.attestation !== null && { attestation: row.attestation, attested: row.attested === 1 }),
    ...(row.revoked_at !== null && { revokedAt: row.revoked_at }),
    ...(row.revoked_reason !== null && { reason: row.revoked_reason }),
  };
}

/** @param name 1 to 64 printable characters. @param owner only a device of this person. @throws ApiError `device_unknown`, `user_malformed` */
export async function nameDevice(
  context: Context,
  id: string,
  name: string,
  by: { readonly actor: string; readonly owner?: string },
): Promise<void> {
  if (!/^[^\p{C}\p{Zl}\p{Zp}]{1,64}$/u.test(name)) throw new ApiError('user_malformed');
  await change(context, id, 'device.name', by, { name }, { name });
}

/** From now on it may sign in. @throws ApiError `device_unknown` for one that does not wait */
export async function approveDevice(context: Context, id: string): Promise<void> {
  await change(context, id, 'device.approve', { actor: 'system' }, { approved_at: context.clock.now() }, {}, 'waiting');
}

/** Takes a revoked device out of the lists. @throws ApiError `device_unknown` for one that is not revoked */
export async function archiveDevice(context: Context, id: string): Promise<void> {
  await change(context, id, 'device.archive', { actor: 'system' }, { archived_at: context.clock.now() }, {}, 'revoked');
}

async function change(
  context: Context,
  id: string,
  operation: string,
  by: { readonly actor: string; readonly owner?: string },
  set: { readonly name?: string; readonly approved_at?: number; readonly archived_at?: number },
  told: Readonly<Record<string, string>>,
  only?: 'waiting' | 'revoked',
): Promise<void> {
  await context.audit.transact(async (transaction) => {
    let query = transaction.updateTable('devices').set(set).where('id', '=', id).where('public_key', 'is not', null);
    if (by.owner !== undefined) query = query.where('user_id', '=', by.owner);
    query = query.where('revoked_at', only === 'revoked' ? 'is not' : 'is', null);
    if (only === 'waiting') query = query.where('approved_at', 'is', null);
    const row = await query.returning('user_id').executeTakeFirst();
    if (row === undefined) throw new ApiError('device_unknown');
    await record(context, transaction, by.actor, row.user_id, { operation, device: id, ...told });
  });
}

async function record(
  context: Context,
  transaction: StoreTransaction,
  actor: string,
  subject: string,
  detail: Readonly<Record<string, string>>,
): Promise<void> {
  await context.audit.record(transaction, newEvent(context, { type: 'admin', actor, subject, detail: { ...detail } }));
}
