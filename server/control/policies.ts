/**
 * Putting policies in force: checked as a whole, then replaced as a whole, with what changed in the audit event. Policies
 * that let everybody in wait for two administrators (changes.ts).
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { defaultPolicies } from '../policy/schema.ts';
import type { GivenPolicies } from '../policy/validate.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { type CarryOut, requestChange, type ShownChange } from './changes.ts';
import type { Context } from './context.ts';
import { newEvent } from './identifiers.ts';
import type { PolicyDesk } from './policy-desk.ts';
import { newDangers, readGiven } from './policy-tools.ts';

type Policies = Readonly<Record<string, string>>;

export type Replaced =
  | { readonly state: 'inForce'; readonly policies: string[] }
  | { readonly state: 'waiting'; readonly change: ShownChange };

/**
 * @param given one text, or texts by id. @param actor who asks
 * @throws ApiError with Cedar's own words; `change_too_many`
 */
export async function replacePolicies(
  context: Context,
  desk: PolicyDesk,
  given: GivenPolicies,
  actor = 'system',
): Promise<Replaced> {
  const policies = readGiven(given);
  const dangers = newDangers(context, desk, policies);
  if (dangers.length > 0) {
    const content = { policies, before: digestOf(await listPolicies(context)) };
    return {
      state: 'waiting',
      change: await requestChange(context, { kind: 'policy.replace', content, dangers, actor }),
    };
  }
  await context.audit.transact((transaction) => write(context, transaction, policies, { actor }));
  await desk.reload();
  return { state: 'inForce', policies: Object.keys(policies) };
}

const documentSchema = z.object({ policies: z.record(z.string(), z.string()), before: z.string() });

/** An approved draft takes the place of the policies it was shown against, and of no others. */
export function approvedPolicies(context: Context): CarryOut {
  return async (transaction, document, approvedBy) => {
    const { policies, before } = documentSchema.parse(document);
    if (digestOf(await read(transaction)) !== before) return false;
    await write(context, transaction, policies, { actor: 'system', approvedBy });
    return true;
  };
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

export function listPolicies(context: Context): Promise<Record<string, string>> {
  return read(context.store);
}

async function read(store: Pick<StoreTransaction, 'selectFrom'>): Promise<Record<string, string>> {
  const rows = await store.selectFrom('policies').selectAll().orderBy('id').execute();
  return Object.fromEntries(rows.map(({ id, text }) => [id, text]));
}

async function write(
  context: Context,
  transaction: StoreTransaction,
  policies: Policies,
  { actor, approvedBy }: { readonly actor: string; readonly approvedBy?: string },
): Promise<void> {
  await transaction.deleteFrom('policies').execute();
  await insert(transaction, policies);
  const ids = Object.keys(policies).join(' ');
  const approved = approvedBy !== undefined && { approvedBy };
  const detail = { operation: 'policy.replace', policies: ids, digest: digestOf(policies), ...approved };
  await context.audit.record(transaction, newEvent(context, { type: 'policy.change', actor, detail }));
}

/** Of the policies by id, whatever their order. */
function digestOf(policies: Policies): string {
  const ordered = Object.entries(policies).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(ordered)).digest('hex');
}

async function insert(transaction: StoreTransaction, policies: Policies): Promise<void> {
  const rows = Object.entries(policies).map(([id, text]) => ({ id, text }));
  if (rows.length > 0) await transaction.insertInto('policies').values(rows).execute();
}
