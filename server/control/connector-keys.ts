/**
 * The first pre-shared key of each connector: made anew whenever one of its two ends has started again, so that neither
 * can be left with a key that the other has forgotten. What follows it is exchanged inside the tunnel (server/psk/).
 */
import { randomBytes } from 'node:crypto';
import type { StoreTransaction } from '../store/tables.ts';
import type { Vault } from '../store/vault.ts';
import type { Context } from './context.ts';

/** @param connectorId one connector, or all when a gateway has started. */
export async function renewFirstKeys(
  { vault }: Pick<Context, 'vault'>,
  transaction: StoreTransaction,
  connectorId?: string,
): Promise<void> {
  let peers = transaction.selectFrom('peers').select('public_key').where('connector_id', 'is not', null);
  if (connectorId !== undefined) peers = peers.where('connector_id', '=', connectorId);
  for (const { public_key } of await peers.execute())
    await transaction
      .updateTable('peers')
      .set({ preshared_key: newFirstKey(vault, public_key) })
      .where('public_key', '=', public_key)
      .execute();
}

/** Base64, as WireGuard writes keys, and sealed. @param publicKey of the peer */
export function newFirstKey(vault: Vault, publicKey: string): string {
  return vault.seal(randomBytes(32).toString('base64'), publicKey);
}

/** What earlier versions wrote plainly is sealed at the start. */
export async function sealPlainKeys({ store, vault }: Pick<Context, 'store' | 'vault'>): Promise<void> {
  const peers = await store.selectFrom('peers').select(['public_key', 'preshared_key']).execute();
  for (const { public_key, preshared_key } of peers) {
    if (preshared_key === null || !/^[A-Za-z0-9+/]{43}=$/.test(preshared_key)) continue;
    await store
      .updateTable('peers')
      .set({ preshared_key: vault.seal(preshared_key, public_key) })
      .where('public_key', '=', public_key)
      .execute();
  }
}
