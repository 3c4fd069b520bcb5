/**
 * Groups whose members may open every service, as policies are now (QHX-8). Who is in which group is a manager's duty, and
 * what a group may open is not: by the page a manager neither puts anybody into such a group nor makes a link into the
 * place of somebody who may as much, unless the manager is in that group, or in one that is given everything without a
 * condition. Whoever may open the data folder can. Asked inside the transaction that writes.
 */
import { parseSpiffeId } from '../../protocol/spiffe.ts';
import { isUnlimited, isWide, type Party } from '../policy/wide.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';

/** @throws ApiError `group_needed` */
export async function refuseWideGroup(
  context: Context,
  transaction: StoreTransaction,
  group: string | undefined,
): Promise<void> {
  if (group !== undefined) await refuseBeyond(context, transaction, [{ type: 'Group', id: group }]);
}

/** @throws ApiError `group_needed` for a person who by their groups or by name may open every service */
export async function refuseOverGroups(context: Context, transaction: StoreTransaction, user: string): Promise<void> {
  await refuseBeyond(context, transaction, await partiesOf(transaction, user));
}

async function refuseBeyond(
  { actor }: Context,
  transaction: StoreTransaction,
  parties: readonly Party[],
): Promise<void> {
  if (actor === undefined) return;
  const by = parseSpiffeId(actor);
  const own = by?.kind === 'device' ? await partiesOf(transaction, by.user) : [];
  const shared = parties.filter((party) => own.some(({ type, id }) => type === party.type && id === party.id));
  if (shared.length === parties.length) return;
  const rows = await transaction.selectFrom('policies').selectAll().execute();
  const policies = Object.fromEntries(rows.map(({ id, text }) => [id, text]));
  const services = await transaction
    .selectFrom('services')
    .select(['name', 'namespace'])
    .where('suspended_at', 'is', null)
    .execute();
  const isBeyond = isWide(policies, parties, services) && !isWide(policies, shared, services);
  if (isBeyond && !isUnlimited(policies, own)) throw new ApiError('group_needed');
}

async function partiesOf(transaction: StoreTransaction, user: string): Promise<Party[]> {
  const rows = await transaction.selectFrom('user_groups').select('group_name').where('user_id', '=', user).execute();
  return [{ type: 'User', id: user }, ...rows.map(({ group_name: id }): Party => ({ type: 'Group', id }))];
}
