/** Walks the chain event by event, and says of the first one that is wrong what is wrong with it. */

import type { AuditTable } from '../store/tables/audit.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { canonical, chainHash } from './chain.ts';
import type { Beginning } from './start.ts';

export type AuditFault =
  /** There is no audit log, or a file of it cannot be read. */
  | 'unreadable'
  /** An event, its id or its hash is not what was written. */
  | 'edited'
  /** An event is gone from the middle. */
  | 'dropped'
  /** An event stands where another belongs. */
  | 'reordered'
  /** Events are gone from the end. */
  | 'cut'
  /** The chain fits together but is not the one that was anchored. */
  | 'rewritten'
  /** An anchor is missing, forged or out of line. */
  | 'anchor';

export class Fault extends Error {
  readonly fault: AuditFault;
  /** Of the event; null when the fault is not at one event. */
  readonly position: number | null;
  constructor(fault: AuditFault, position: number | null, message: string) {
    super(message);
    this.name = 'Fault';
    this.fault = fault;
    this.position = position;
  }
}

type Rows = Pick<StoreTransaction, 'selectFrom'>;
const rowsAtOnce = 1_000;

/**
 * The events in order, each as it was written and following the one before it.
 * @param upTo the last position that is wanted. @throws Fault
 */
export async function* chainOf(store: Rows, { seq, hash }: Beginning, upTo = Infinity): AsyncIterable<Beginning> {
  let position = seq;
  let previous = hash;
  for await (const row of rowsOf(store, upTo)) {
    position += 1;
    await checkRow(store, row, position, previous);
    previous = row.hash;
    yield { seq: position, hash: previous };
  }
}

/** Some at a time. */
async function* rowsOf(store: Rows, upTo: number): AsyncIterable<AuditTable> {
  let after: number | undefined;
  for (;;) {
    let query = store.selectFrom('audit').selectAll().orderBy('seq').limit(rowsAtOnce);
    if (after !== undefined) query = query.where('seq', '>', after);
    if (upTo !== Infinity) query = query.where('seq', '<=', upTo);
    const rows = await query.execute();
    yield* rows;
    after = rows.at(-1)?.seq;
    if (after === undefined) return;
  }
}

async function checkRow(store: Rows, row: AuditTable, position: number, previous: Uint8Array): Promise<void> {
  if (row.seq !== position) throw new Fault('dropped', position, `Event ${position} is missing.`);
  const intact = same(chainHash(row.prev, row.seq, row.event), row.hash);
  if (intact && same(row.prev, previous) && describesItself(row)) return;
  if (same(row.prev, previous) || same(chainHash(previous, row.seq, row.event), row.hash)) {
    throw new Fault('edited', position, `Event ${position} was changed after it was written.`);
  }
  // Something else stands here. The event that belongs here names the one before it, if it is anywhere.
  const elsewhere = await store
    .selectFrom('audit')
    .select('seq')
    .where('prev', '=', previous)
    .where('seq', '<>', position)
    .executeTakeFirst();
  if (elsewhere === undefined) throw new Fault('dropped', position, `The event at position ${position} is missing.`);
  throw new Fault('reordered', position, `The event at position ${position} belongs elsewhere.`);
}

function describesItself(row: AuditTable): boolean {
  try {
    const event = JSON.parse(row.event) as Parameters<typeof canonical>[0];
    return event.id === row.id && canonical(event) === row.event;
  } catch {
    return false;
  }
}

export function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a).equals(b);
}
