/** Putting policies in force: checked as a whole, then replaced as a whole, with what changed in the audit event. */
import { createHash } from 'node:crypto';
import { defaultPolicies } from '../policy/schema.ts';
import type { GivenPolicies } from '../policy/validate.ts';
import type { StoreTransaction } from '../store/tables.ts';
import type { Context } from './context.ts';
import { newEvent } from './identifiers.ts';
import { readGiven } from './policy-tools.ts';

/** @param policies one text, or texts by id. @throws ApiError with Cedar's own words */
export async function replacePolicies(context: Context, policies: GivenPolicies): Promise<string[]> {
  const byId = readGiven(policies);
  await context.audit.transact(async (transaction) => {
    await transaction.deleteFrom('policies').execute();
    await insert(transaction, byId);
    const digest = createHash('sha256').update(JSON.stringify(byId)).digest('hex');
    const detail = { operation: 'policy.replace', policies: Object.keys(byId).join(' '), digest };
    await context.audit.record(transaction, newEvent(context, { type: 'policy.change', actor: 'system', detail }));
  });
  return Object.keys(byId);
}

/** Gives a new installation its first policies. An operator who removed all of them meant it. */
export async function ensureFirstPolicies(context: Context): Promise<void> {
  await context.store.transaction().execute(async (transaction) => {
    const { value } = await transaction
      .selectFrom('counters')
      .select('value')
      .where('name', '=', 'policy_epoch')
      .executeTakeFirstOrThrow();
    if (value === 0) await insert(transaction, defaultPolicies);
  });
}

export async function listPolicies(context: Context): Promise<Record<string, string>> {
  const rows = await context.store.selectFrom('policies').selectAll().orderBy('id').execute();
  return Object.fromEntries(rows.map(({ id, text }) => [id, text]));
}

async function insert(transaction: StoreTransaction, policies: Readonly<Record<string, string>>): Promise<void> {
  const rows = Object.entries(policies).map(([id, text]) => ({ id, text }));
  if (rows.length > 0) await transaction.insertInto('policies').values(rows).execute();
}
