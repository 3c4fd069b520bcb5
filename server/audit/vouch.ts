/**
 * What stands in the store signed by an audit key is believed by the root that certified that key. When there is a new root,
 * the control plane that made it signs once more what held until then, whichever control plane's key it was of.
 */
import type { ControlPaths } from '../store/paths.ts';
import type { StoreTransaction } from '../store/tables.ts';
import type { CertifiedSigner } from './audit-object.ts';
import { type Approval, approvals } from './retention.ts';
import { type AuditStart, starts } from './start.ts';
import { readTrust } from './trust.ts';

export interface Vouched {
  readonly start: AuditStart | undefined;
  readonly approval: Approval | undefined;
}

/** What holds under the root in use; without what does not. */
export async function readVouched(transaction: StoreTransaction, paths: Pick<ControlPaths, 'trust'>): Promise<Vouched> {
  const trust = await readTrust(paths);
  const start = await transaction.selectFrom('audit_start').selectAll().executeTakeFirst();
  const approval = await transaction.selectFrom('retention').selectAll().executeTakeFirst();
  return {
    start: start && (await starts.open(trust, start)),
    approval: approval && (await approvals.open(trust, approval)),
  };
}

/** Signs the same again. @param now ms since 1970 */
export async function vouchAnew(
  transaction: StoreTransaction,
  { start, approval }: Vouched,
  signer: CertifiedSigner,
  now: number,
): Promise<void> {
  if (start !== undefined) {
    const stored = await starts.signForStore(signer, { ...start, time: now });
    await transaction.updateTable('audit_start').set(stored).execute();
  }
  if (approval !== undefined) {
    const stored = await approvals.signForStore(signer, { ...approval, time: now });
    await transaction.updateTable('retention').set(stored).execute();
  }
}
