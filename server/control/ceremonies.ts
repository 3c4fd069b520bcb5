/**
 * Our own record of a ceremony that is under way: which nonce was given to whom, for what, until when. A challenge is
 * always recomputed from this record; nothing the caller sends names what it has to sign. A ceremony is spent by its
 * first use, whatever comes of it, in the transaction that writes the result.
 */
import { randomBytes } from 'node:crypto';
import type { CeremonyKind, CeremonyTable } from '../store/tables/sessions.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { newId } from './identifiers.ts';

/** How long a person has. Making a passkey asks more of them than using one; a launch asks nothing. */
const lifeMs: Record<CeremonyKind, number> = {
  enrol: 300_000,
  login: 60_000,
  launch: 30_000,
  stepup: 60_000,
  approve: 60_000,
  // They type a password there, and perhaps a code.
  oidc: 300_000,
  saml: 300_000,
};

/** When it was begun, ms. */
export function begunAt({ kind, expires_at }: Pick<CeremonyTable, 'kind' | 'expires_at'>): number {
  return expires_at - lifeMs[kind];
}

export type CeremonyOf = Partial<
  Pick<
    CeremonyTable,
    | 'device_id'
    | 'enrolment_id'
    | 'change_id'
    | 'idp'
    | 'link_id'
    | 'knock_id'
    | 'lease_id'
    | 'launch_id'
    | 'service'
    | 'device_public_key'
  >
> &
  Pick<CeremonyTable, 'kind' | 'user_id'>;

/** Opens a ceremony with a fresh nonce. */
export async function beginCeremony(context: Context, of: CeremonyOf): Promise<CeremonyTable> {
  const ceremony: CeremonyTable = {
    id: newId(),
    nonce: new Uint8Array(randomBytes(32)),
    device_id: null,
    enrolment_id: null,
    link_id: null,
    knock_id: null,
    change_id: null,
    idp: null,
    lease_id: null,
    launch_id: null,
    service: null,
    device_public_key: null,
    spent_at: null,
    expires_at: context.clock.now() + lifeMs[of.kind],
    ...of,
  };
  await context.store.insertInto('ceremonies').values(ceremony).execute();
  return ceremony;
}

/** @throws ApiError `ceremony_unknown` for an id that is unknown, of another kind, spent or too old. */
export async function findCeremony(context: Context, kind: CeremonyKind, id: string): Promise<CeremonyTable> {
  const ceremony = await context.store
    .selectFrom('ceremonies')
    .selectAll()
    .where('id', '=', id)
    .where('kind', '=', kind)
    .executeTakeFirst();
  const now = context.clock.now();
  if (ceremony === undefined || ceremony.spent_at !== null || ceremony.expires_at <= now) {
    throw new ApiError('ceremony_unknown');
  }
  return ceremony;
}

/**
 * Spends the nonce; of any number of callers exactly one succeeds.
 * @throws ApiError `ceremony_unknown` for all others, which rolls their transaction back.
 */
export async function spendCeremony(context: Context, transaction: StoreTransaction, id: string): Promise<void> {
  const now = context.clock.now();
  const { numUpdatedRows } = await transaction
    .updateTable('ceremonies')
    .set({ spent_at: now })
    .where('id', '=', id)
    .where('spent_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw new ApiError('ceremony_unknown');
}
