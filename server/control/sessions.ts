/**
 * What is open now, as the control plane knows it: a launch is one person's (or guest's) tunnel to one service, with the
 * credentials that were issued for it. Whether its tunnel stands at this moment the gateway knows; revoking it ends it.
 */
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { spiffeIdOf } from './leases.ts';

export interface ShownSession {
  readonly id: string;
  /** SPIFFE id. */
  readonly actor: string;
  readonly name: string;
  readonly service: string;
  readonly since: number;
  readonly endsAt: number;
  /** Of its newest credential. */
  readonly credentialEnds: number;
}

/** Those whose newest credential is good now, newest first. */
export async function listSessions(context: Context): Promise<ShownSession[]> {
  const now = context.clock.now();
  const rows = await context.store
    .selectFrom('launches')
    .innerJoin('users', 'users.id', 'launches.user_id')
    .innerJoin('svids', 'svids.launch_id', 'launches.id')
    .select(['launches.id', 'launches.user_id', 'launches.device_id', 'launches.service', 'launches.created_at'])
    .select(['launches.ends_at', 'users.name', 'users.link_id', 'users.link_use'])
    .select(({ fn }) => fn.max('svids.not_after').as('credential_ends'))
    .where('launches.revoked_at', 'is', null)
    .where('svids.not_after', '>', now)
    .groupBy('launches.id')
    .orderBy('launches.created_at', 'desc')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    actor: spiffeIdOf(context.config, row),
    name: row.name,
    service: row.service,
    since: row.created_at,
    endsAt: row.ends_at,
    credentialEnds: row.credential_ends,
  }));
}

/** Ends one launch inside a transaction. @returns whose it was. @throws ApiError `session_unknown` */
export async function endSession(
  context: Context,
  transaction: Parameters<Parameters<Context['audit']['transact']>[0]>[0],
  id: string,
): Promise<{ user: string; service: string }> {
  const row = await transaction
    .updateTable('launches')
    .set({ revoked_at: context.clock.now() })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .returning(['user_id', 'service'])
    .executeTakeFirst();
  if (row === undefined) throw new ApiError('session_unknown');
  return { user: row.user_id, service: row.service };
}
