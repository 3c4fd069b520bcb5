/**
 * How long the audit log and the decisions in it are kept: for ever, until two administrators have signed another time
 * (changes.ts, QHX-8), since a shorter one destroys evidence. Receipts stay.
 */
import { z } from 'zod';
import { cutAt, dueCut } from '../audit/expiry.ts';
import type { Danger } from '../policy/dangers.ts';
import { controlPaths } from '../store/paths.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { type CarryOut, requestChange, type ShownChange } from './changes.ts';
import type { Context } from './context.ts';
import { newEvent } from './identifiers.ts';

const dayMs = 86_400_000;
/** Shorter, and an intruder need only be patient. */
export const leastDays = 90;
export const mostDays = 36_500;

/** Days; null for ever. */
export type Retention = number | null;

const documentSchema = z.object({ from: z.number().nullable(), to: z.number().nullable() });

export function retentionInForce({ store }: Pick<Context, 'store'>): Promise<Retention> {
  return read(store);
}

/** Asks for another time; nothing to ask for where it is in force. @throws ApiError `change_too_many` */
export async function requestRetention(
  context: Context,
  { to, actor }: { readonly to: Retention; readonly actor: string },
): Promise<ShownChange | undefined> {
  const from = await read(context.store);
  if (from === to) return undefined;
  const message =
    to === null
      ? 'Audit events are kept for ever.'
      : `Audit events older than ${to} days are destroyed, and so are the decisions recorded in them.`;
  const danger: Danger = { code: 'retention', message, policies: [] };
  return requestChange(context, { kind: 'retention.set', content: { from, to }, dangers: [danger], actor });
}

/** An approved time takes the place of the one it was asked against, and of no other. */
export function approvedRetention(context: Context): CarryOut {
  return async (transaction, document, approvedBy) => {
    const { from, to } = documentSchema.parse(document);
    if ((await read(transaction)) !== from) return false;
    await transaction.deleteFrom('retention').execute();
    if (to !== null) await transaction.insertInto('retention').values({ days: to }).execute();
    const detail = { operation: 'retention.set', from: textOf(from), to: textOf(to), approvedBy };
    await context.audit.record(transaction, newEvent(context, { type: 'admin', actor: 'system', detail }));
    return true;
  };
}

/** Drops what is older, as far as one transaction goes. @returns how many events the log has lost since it began */
export async function dropExpired(context: Context): Promise<number | undefined> {
  const days = await read(context.store);
  // What two have said yes to is never less; a row that says less was written by somebody else.
  if (days === null || days < leastDays) return undefined;
  const { store, audit, pki, clock, config } = context;
  const cut = await dueCut(store, controlPaths(config.data), clock.now() - days * dayMs);
  if (cut === undefined) return undefined;
  await audit.transact(async (transaction) => {
    // Somebody may have asked for a longer time meanwhile, and two have said yes.
    if ((await read(transaction)) !== days) return;
    await cutAt(transaction, cut, pki.signer('audit'), clock.now());
    const detail = { operation: 'audit.drop', upTo: cut.seq, hash: Buffer.from(cut.hash).toString('hex') };
    await audit.record(transaction, newEvent(context, { type: 'admin', actor: 'system', detail }));
  });
  return cut.seq;
}

async function read(store: Pick<StoreTransaction, 'selectFrom'>): Promise<Retention> {
  return (await store.selectFrom('retention').select('days').executeTakeFirst())?.days ?? null;
}

const textOf = (retention: Retention): string => (retention === null ? 'forever' : `${retention}d`);
