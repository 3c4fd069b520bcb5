/**
 * The first pre-shared key of each connector: made anew whenever one of its two ends has started again, so that neither
 * can be left with a key that the other has forgotten. What follows it is exchanged inside the tunnel (server/psk/).
 */
import { randomBytes } from 'node:crypto';
import type { StoreTransaction } from '../store/tables.ts';

/** @param connectorId one connector, or all when a gateway has started. */
export async function renewFirstKeys(transaction: StoreTransaction, connectorId?: string): Promise<void> {
  let peers = transaction.selectFrom('peers').select('public_key').where('connector_id', 'is not', null);
  if (connectorId !== undefined) peers = peers.where('connector_id', '=', connectorId);
  for (const { public_key } of await peers.execute())
    await transaction
      .updateTable('peers')
      .set({ preshared_key: newFirstKey() })
      .where('public_key', '=', public_key)
      .execute();
}

/** Base64, as WireGuard writes keys. */
export function newFirstKey(): string {
  return randomBytes(32).toString('base64');
}
