/** Peers that are no more: moved here with when and why, without their keys, and never deleted. */

import type { PeerTable } from '../store/tables/services.ts';
import type { StoreTransaction } from '../store/tables.ts';
import type { Context } from './context.ts';

export interface ArchivedPeer {
  readonly publicKey: string;
  readonly name: string;
  readonly allowedIps: string[];
  readonly connector: boolean;
  /** ms since 1970 */
  readonly addedAt: number;
  readonly archivedAt: number;
  readonly reason: string;
}

/** Which peers; all conditions hold at once. */
export interface PeersToArchive {
  readonly publicKey?: string;
  readonly name?: string;
  /** null: a peer that is no connector. */
  readonly connectorId?: string | null;
  /** Connectors alone. */
  readonly connectors?: true;
}

/** @returns the rows as they were. */
export async function archivePeers(
  context: Context,
  transaction: StoreTransaction,
  which: PeersToArchive,
  reason: string,
): Promise<PeerTable[]> {
  const rows = (await transaction.selectFrom('peers').selectAll().execute()).filter((row) => isMeant(row, which));
  for (const row of rows) {
    const { public_key, name, allowed_ips, connector_id, created_at } = row;
    await transaction.deleteFrom('peers').where('public_key', '=', public_key).execute();
    await transaction
      .insertInto('archived_peers')
      .values({
        ...{ public_key, name, allowed_ips, connector_id, created_at },
        ...{ archived_at: context.clock.now(), reason },
      })
      .execute();
  }
  return rows;
}

/** The last archived first. */
export async function listArchivedPeers(context: Context): Promise<ArchivedPeer[]> {
  const rows = await context.store.selectFrom('archived_peers').selectAll().orderBy('archived_at', 'desc').execute();
  return rows.map((row) => ({
    publicKey: row.public_key,
    name: row.name,
    allowedIps: JSON.parse(row.allowed_ips) as string[],
    connector: row.connector_id !== null,
    addedAt: row.created_at,
    archivedAt: row.archived_at,
    reason: row.reason,
  }));
}

function isMeant(row: PeerTable, { publicKey, name, connectorId, connectors }: PeersToArchive): boolean {
  return (
    (publicKey === undefined || row.public_key === publicKey) &&
    (name === undefined || row.name === name) &&
    (connectorId === undefined || row.connector_id === connectorId) &&
    (connectors === undefined || row.connector_id !== null)
  );
}
