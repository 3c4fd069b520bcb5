/** Reads the audit chain back for people. Whether it was tampered with is the verifier's question, not this one's. */
import { sql } from 'kysely';
import type { AuditEvent, AuditEventType } from '../channel/audit-event.ts';
import type { Context } from './context.ts';

export interface AuditQuery {
  /** Position after which to begin. */
  readonly after: number;
  readonly limit: number;
  readonly type?: AuditEventType | undefined;
  /** What this device did, by its id. */
  readonly device?: string | undefined;
  /** Of that device, from the last time its posture was looked at and found good. */
  readonly sincePosture?: boolean | undefined;
}

export interface AuditPage {
  readonly events: (AuditEvent & { readonly seq: number })[];
  /** Position to go on after. */
  readonly next: number;
}

/** Events in the order of the chain. */
export async function listEvents(context: Context, asked: AuditQuery): Promise<AuditPage> {
  const { limit, type, device, sincePosture } = asked;
  const after = sincePosture === true ? Math.max(asked.after, await beforePosture(context, device)) : asked.after;
  let query = context.store.selectFrom('audit').select(['seq', 'event']).where('seq', '>', after);
  if (type !== undefined) query = query.where(typeOf, '=', type);
  if (device !== undefined) query = query.where(actorOf, 'like', ofDevice(device));
  const rows = await query.orderBy('seq').limit(limit).execute();
  // Written by us as canonical JSON of this type.
  const events = rows.map(({ seq, event }) => ({ seq, ...(JSON.parse(event) as AuditEvent) }));
  return { events, next: events.at(-1)?.seq ?? after };
}

const typeOf = sql<string>`json_extract(event, '$.type')`;
const actorOf = sql<string>`json_extract(event, '$.actor')`;
const decisionOf = sql<string | null>`json_extract(event, '$.decision')`;
/** Ids are hexadecimal: none of them means anything to LIKE. */
const ofDevice = (id: string): string => `%/device/${id}`;

/** The position before a device's last posture event, but for those of launches that were denied, perhaps for it. */
async function beforePosture({ store }: Context, device = ''): Promise<number> {
  const { last } = await store
    .selectFrom('audit')
    .select(({ fn }) => fn.max('seq').as('last'))
    .where(typeOf, '=', 'posture')
    .where((where) => where.or([where(decisionOf, 'is', null), where(decisionOf, '!=', 'deny')]))
    .where(actorOf, 'like', ofDevice(device))
    .executeTakeFirstOrThrow();
  return (last ?? 1) - 1;
}

export async function countEvents(context: Context): Promise<number> {
  const { last } = await context.store
    .selectFrom('audit')
    .select(({ fn }) => fn.max('seq').as('last'))
    .executeTakeFirstOrThrow();
  return last ?? 0;
}
