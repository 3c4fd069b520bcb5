/**
 * How long the audit log and the decisions in it are kept: for ever, until two administrators have signed another time
 * (changes.ts, QHX-8), since a shorter one destroys evidence. Receipts stay.
 */
import { z } from 'zod';
import { type Retention, type RetentionRead, readRetention, writeRetention } from '../audit/retention.ts';
import type { Danger } from '../policy/dangers.ts';
import { controlPaths } from '../store/paths.ts';
import { type CarryOut, requestChange, type ShownChange } from './changes.ts';
import type { Context } from './context.ts';
import { newEvent } from './identifiers.ts';

export const mostDays = 36_500;

const documentSchema = z.object({ from: z.number().nullable(), to: z.number().nullable() });

export function retentionInForce({ store, config }: Pick<Context, 'store' | 'config'>): Promise<RetentionRead> {
  return readRetention(store, controlPaths(config.data));
}

/** Asks for another time; nothing to ask for where it is in force. @throws ApiError `change_too_many` */
export async function requestRetention(
  context: Context,
  { to, actor }: { readonly to: Retention; readonly actor: string },
): Promise<ShownChange | undefined> {
  const { days: from, fault } = await retentionInForce(context);
  // Where what was approved cannot be believed, all is kept until two approve that too.
  if (from === to && fault === undefined) return undefined;
  const message =
    to === null
      ? 'Audit events are kept for ever.'
      : `Audit events older than ${to} days are destroyed, and so are the decisions recorded in them.`;
  const danger: Danger = { code: 'retention', message, policies: [] };
  return requestChange(context, { kind: 'retention.set', content: { from, to }, dangers: [danger], actor });
}

/** An approved time takes the place of the one it was asked against, and of no other. */
export function approvedRetention(context: Context): CarryOut {
  const { config, clock, pki, audit } = context;
  const paths = controlPaths(config.data);
  return async (transaction, document, approvedBy, digest) => {
    const { from, to } = documentSchema.parse(document);
    if ((await readRetention(transaction, paths)).days !== from) return false;
    await writeRetention(transaction, paths, pki.certified('audit'), { days: to, time: clock.now(), digest });
    const detail = { operation: 'retention.set', from: textOf(from), to: textOf(to), approvedBy };
    await audit.record(transaction, newEvent(context, { type: 'admin', actor: 'system', detail }));
    return true;
  };
}

/** A time that was approved before such things were signed is in force no more: whoever reads the audit is told, once. */
export async function tellUnsignedRetention(context: Context): Promise<void> {
  const { store, audit, log } = context;
  if ((await store.selectFrom('unsigned_retention').select('days').limit(1).execute()).length === 0) return;
  await audit.transact(async (transaction) => {
    for (const { days } of await transaction.deleteFrom('unsigned_retention').returning('days').execute()) {
      log.warn(
        { days },
        'an approved retention of an older release is not signed: everything is kept until it is approved anew',
      );
      const detail = { operation: 'retention.unsigned', from: textOf(days), to: textOf(null) };
      await audit.record(transaction, newEvent(context, { type: 'admin', actor: 'system', detail }));
    }
  });
}

const textOf = (retention: Retention): string => (retention === null ? 'forever' : `${retention}d`);
