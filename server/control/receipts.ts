/**
 * Receipts of what a revocation cut: for each session, signed by the notary key, at which byte each of its streams ended
 * (LKS1 type 7). The gateway saw it, and its events stand in the audit chain; the receipt can be shown to somebody who
 * sees neither, and is verified with the installation's public keys alone.
 *
 *      body = canonical JSON { v: 1, gateway, session, actor, service, reason, policies,
 *                              streams: [{ event, time, stream, kind, received, sent }] }
 */
import { utf8 } from '../../protocol/bytes.ts';
import { objectType, signObject } from '../../protocol/lks1.ts';
import { canonical } from '../audit/chain.ts';
import type { AuditEvent } from '../channel/audit-event.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { ReceiptTable } from '../store/tables/audit.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';

/** Writes a receipt for each session that these events of a gateway cut streams of. Events seen before change nothing. */
export async function issueReceipts(context: Context, gateway: string, events: readonly AuditEvent[]): Promise<void> {
  const cuts = events.filter(({ type }) => type === 'stream.cut');
  const bySession = Map.groupBy(cuts, ({ detail }) => String(detail?.['session'] ?? ''));
  for (const [session, own] of bySession) {
    const row = await receiptOf(context, gateway, session, own);
    await context.store
      .insertInto('receipts')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}

async function receiptOf(
  context: Context,
  gateway: string,
  session: string,
  cuts: readonly AuditEvent[],
): Promise<ReceiptTable> {
  const [{ id, actor, service = '', reason = '', policies = [] }] = cuts as [AuditEvent];
  const streams = cuts.map(({ id: event, time, detail = {} }) => {
    const { stream, kind, received, sent } = detail;
    return { event, time, stream, kind, received, sent };
  });
  const body = canonical({ v: 1, gateway, session, actor, service, reason, policies, streams });
  const object = await signObject(nodeCrypto, context.pki.signer('notary'), objectType.receipt, utf8(body));
  const about = { session, actor, service, streams: streams.length };
  return { id, ...about, created_at: context.clock.now(), object };
}

export type ShownReceipt = Omit<ReceiptTable, 'object' | 'created_at'> & { readonly createdAt: number };

/** Newest first. */
export async function listReceipts(context: Context): Promise<ShownReceipt[]> {
  const rows = await context.store
    .selectFrom('receipts')
    .select(['id', 'session', 'actor', 'service', 'streams', 'created_at'])
    .orderBy('created_at', 'desc')
    .limit(1_000)
    .execute();
  return rows.map(({ created_at, ...row }) => ({ ...row, createdAt: created_at }));
}

/** The signed document. @throws ApiError `receipt_unknown` */
export async function readReceipt(context: Context, id: string): Promise<Uint8Array> {
  const row = await context.store.selectFrom('receipts').select('object').where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw new ApiError('receipt_unknown');
  return row.object;
}
