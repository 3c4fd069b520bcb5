/** Reads the audit chain back for people. Whether it was tampered with is the verifier's question, not this one's. */
import { sql } from 'kysely';
import type { AuditEvent, AuditEventType } from '../channel/audit-event.ts';
import type { Context } from './context.ts';

export interface AuditQuery {
  /** Position after which to begin. */
  readonly after: number;
  readonly limit: number;
  readonly type?: AuditEventType | undefined;
}

export interface AuditPage {
  readonly events: (AuditEvent & { readonly seq: number })[];
  /** Position to go on after. */
  readonly next: number;
}

/** Events in the order of the chain. */
export async function listEvents(context: Context, { after, limit, type }: AuditQuery): Promise<AuditPage> {
  let query = context.store.selectFrom('audit').select(['seq', 'event']).where('seq', '>', after);
  if (type !== undefined) query = query.where(sql<string>`json_extract(event, '$.type')`, '=', type);
  const rows = await query.orderBy('seq').limit(limit).execute();
  // Written by us as canonical JSON of this type.
  const events = rows.map(({ seq, event }) => ({ seq, ...(JSON.parse(event) as AuditEvent) }));
  return { events, next: events.at(-1)?.seq ?? after };
}

export async function countEvents(context: Context): Promise<number> {
  const { last } = await context.store
    .selectFrom('audit')
    .select(({ fn }) => fn.max('seq').as('last'))
    .executeTakeFirstOrThrow();
  return last ?? 0;
}
