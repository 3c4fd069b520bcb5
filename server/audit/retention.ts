/**
 * How long the log is kept, as two administrators approved it and the audit key wrote it down (LKS1 type 11):
 *
 *     0   8  epoch, one more than that of the approval before
 *     8   4  days, 0 for ever
 *    12   8  time, ms
 *    20  32  SHA-256 of the document of the change (control/changes.ts), which is what both signed
 *
 * It stands in the store, and the newest epoch that was seen in a file beside the keys as well: who can write to the store
 * alone can neither make one nor put back an older one. One that does not hold is no approval, and everything is kept.
 */
import { assertLength, copy, utf8 } from '../../protocol/bytes.ts';
import { objectType } from '../../protocol/lks1.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { readIfPresent, replaceFile } from '../store/files.ts';
import type { ControlPaths } from '../store/paths.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { AuditObject, type CertifiedSigner } from './audit-object.ts';
import { AuditError } from './error.ts';
import { readTrust } from './trust.ts';
import { same } from './walk.ts';

/** Shorter, and an intruder need only be patient. */
export const leastDays = 90;

/** Days; null for ever. */
export type Retention = number | null;

export interface Approval {
  readonly epoch: number;
  readonly days: Retention;
  /** ms since 1970 */
  readonly time: number;
  readonly digest: Uint8Array;
}

export const approvals = new AuditObject<Approval>({
  type: objectType.retention,
  write(writer, { epoch, days, time, digest }) {
    assertLength('digest', digest, 32);
    return writer
      .u64(epoch)
      .u32(days ?? 0)
      .u64(time)
      .bytes(digest);
  },
  read: (reader) => ({
    epoch: reader.time(),
    days: reader.u32() || null,
    time: reader.time(),
    digest: copy(reader.bytes(32)),
  }),
});

/** Why an approval is none. */
export type RetentionFault =
  /** The newest that was seen is not in the store any more. */
  | 'retention_missing'
  /** No audit key of this installation signed it. */
  | 'retention_unsigned'
  /** A newer one was seen. */
  | 'retention_replayed'
  /** No change of that digest was carried out, or it says another time, or one that is too short. */
  | 'retention_unapproved';

export interface RetentionRead {
  /** What is in force; for ever where there is a fault. */
  readonly days: Retention;
  readonly fault?: RetentionFault;
}

type Rows = Pick<StoreTransaction, 'selectFrom'>;
type Paths = Pick<ControlPaths, 'retention' | 'trust'>;

/** Verifies what stands in the store, and remembers its epoch. @throws AuditError `files_malformed` */
export async function readRetention(store: Rows, paths: Paths): Promise<RetentionRead> {
  const seen = seenEpoch(paths);
  const row = await store.selectFrom('retention').selectAll().orderBy('epoch', 'desc').executeTakeFirst();
  if (row === undefined) return seen === 0 ? { days: null } : { days: null, fault: 'retention_missing' };
  const approval = await approvals.open(await readTrust(paths), row);
  if (approval === undefined) return { days: null, fault: 'retention_unsigned' };
  if (approval.epoch < seen) return { days: null, fault: 'retention_replayed' };
  if (!(await isApproved(store, approval))) return { days: null, fault: 'retention_unapproved' };
  if (approval.epoch > seen) keepSeen(paths, row.object);
  return { days: approval.days };
}

/** Writes down what was approved in place of what was. */
export async function writeRetention(
  transaction: StoreTransaction,
  paths: Paths,
  signer: CertifiedSigner,
  approved: Omit<Approval, 'epoch'>,
): Promise<void> {
  const before = await transaction.selectFrom('retention').select('epoch').executeTakeFirst();
  const epoch = Math.max(before?.epoch ?? 0, seenEpoch(paths)) + 1;
  const stored = await approvals.signForStore(signer, { ...approved, epoch });
  await transaction.deleteFrom('retention').execute();
  await transaction
    .insertInto('retention')
    .values({ epoch, ...stored })
    .execute();
  // A commit that fails after this leaves an approval in the store that is older than the file: everything is kept.
  keepSeen(paths, stored.object);
}

async function isApproved(store: Rows, { days, digest }: Approval): Promise<boolean> {
  if (days !== null && days < leastDays) return false;
  const done = await store
    .selectFrom('changes')
    .select('document')
    .where('kind', '=', 'retention.set')
    .where('outcome', '=', 'done')
    .execute();
  const change = done.find(({ document }) => same(nodeCrypto.sha256(utf8(document)), digest));
  return change !== undefined && (JSON.parse(change.document) as { to: unknown }).to === days;
}

/** 0 while none was. */
function seenEpoch({ retention }: Pick<Paths, 'retention'>): number {
  const seen = readIfPresent(retention);
  try {
    return seen === undefined ? 0 : approvals.peek(new Uint8Array(seen)).epoch;
  } catch (cause) {
    throw new AuditError('files_malformed', `The file ${retention} is not an approval.`, { cause });
  }
}

function keepSeen({ retention }: Pick<Paths, 'retention'>, object: Uint8Array): void {
  replaceFile(retention, object);
}
