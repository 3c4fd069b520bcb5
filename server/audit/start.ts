/**
 * Where a log begins whose older events were dropped (LKS1 type 10): the audit key's word on what the first event that is
 * left follows. Nobody without that key can cut a log from its front; an anchor will not do, it is of another type.
 *
 *     0   8  seq of the last event that was dropped
 *     8  32  its hash
 *    40   8  time, ms
 */
import { assertLength, copy } from '../../protocol/bytes.ts';
import { objectType } from '../../protocol/lks1.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { AuditObject } from './audit-object.ts';
import { genesis } from './chain.ts';
import { AuditError } from './error.ts';
import type { AuditTrust } from './trust.ts';

export interface AuditStart {
  readonly seq: number;
  readonly hash: Uint8Array;
  /** ms since 1970 */
  readonly time: number;
}

export const starts = new AuditObject<AuditStart>({
  type: objectType.auditStart,
  write(writer, { seq, hash, time }) {
    assertLength('hash', hash, 32);
    return writer.u64(seq).bytes(hash).u64(time);
  },
  read: (reader) => ({ seq: reader.time(), hash: copy(reader.bytes(32)), time: reader.time() }),
});

/** What the first event of the log follows. */
export type Beginning = Pick<AuditStart, 'seq' | 'hash'>;

/** @throws AuditError `chain_broken` for a start that is not of an audit key of this installation. */
export async function beginningOf(store: Pick<StoreTransaction, 'selectFrom'>, trust: AuditTrust): Promise<Beginning> {
  const row = await store.selectFrom('audit_start').selectAll().executeTakeFirst();
  if (row === undefined) return { seq: 0, hash: genesis };
  // Undefined in a store that was not opened for writing since there is such a column.
  const start = await starts.open(trust, { object: row.object, certificate: row.certificate ?? null });
  if (start !== undefined) return start;
  throw new AuditError(
    'chain_broken',
    'The start of the audit log is not signed by the audit key of this installation.',
  );
}
