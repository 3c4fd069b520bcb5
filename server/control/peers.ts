/** The gateway's WireGuard peers: what an operator adds, what connectors bring, and which of them carries an address. */

import { endpointField, nameField, wireguardKeyField } from '../channel/fields.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { PeerTable } from '../store/tables/services.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { type AddressRange, contains, formatRange, overlap, parseRange } from './address-range.ts';
import { ApiError } from './api-error.ts';
import { archivePeers } from './archived-peers.ts';
import type { Context } from './context.ts';
import { newEvent } from './identifiers.ts';

export interface NewPeer {
  readonly publicKey: string;
  readonly allowedIps: readonly string[];
  readonly endpoint?: string | undefined;
  readonly presharedKey?: string | undefined;
  /** 0 for none. */
  readonly keepaliveS?: number | undefined;
  readonly name?: string | undefined;
}

/** A peer as the admin API shows it; never its pre-shared key. */
export interface ShownPeer {
  readonly publicKey: string;
  readonly name: string;
  readonly allowedIps: string[];
  readonly endpoint?: string;
  readonly keepaliveS?: number;
  /** Whether there is one. */
  readonly presharedKey: boolean;
  readonly connector: boolean;
  /**
   * What is on top of WireGuard's classical key exchange. `exchanged`: keys made by X25519 and ML-KEM-768 inside the
   * tunnel. `preshared`: a key somebody set, as good as the way it came. `classical`: nothing, so that what is recorded
   * today opens to a quantum computer.
   */
  readonly protection: 'exchanged' | 'preshared' | 'classical';
}

/** @throws ApiError by what is wrong first: key, allowed IPs, endpoint, name, then conflicts with other peers */
export async function addPeer(context: Context, peer: NewPeer): Promise<ShownPeer> {
  const row = parsePeer(context, peer);
  await context.audit.transact(async (transaction) => {
    await insertPeer(context, transaction, row);
    await recordChange(context, transaction, 'peer.add', row);
  });
  return shown(row);
}

/** Archives a peer that is no connector. @throws ApiError `peer_unknown` */
export function removePeer(context: Context, publicKey: string, reason = ''): Promise<void> {
  return context.audit.transact(async (transaction) => {
    const [row] = await archivePeers(context, transaction, { publicKey, connectorId: null }, reason);
    if (row === undefined) throw new ApiError('peer_unknown');
    await recordChange(context, transaction, 'peer.remove', row);
  });
}

export async function listPeers(context: Context): Promise<ShownPeer[]> {
  return (await context.store.selectFrom('peers').selectAll().orderBy('name').execute()).map(shown);
}

/** Pre-shared keys by peer, for a gateway and nobody else. */
export async function presharedKeys(context: Context): Promise<Record<string, string>> {
  const rows = await context.store.selectFrom('peers').select(['public_key', 'preshared_key']).execute();
  return Object.fromEntries(
    rows.flatMap((row) =>
      row.preshared_key === null ? [] : [[row.public_key, context.vault.open(row.preshared_key, row.public_key)]],
    ),
  );
}

/** The peer that carries an address: the one with the longest prefix, as WireGuard routes. */
export async function carrierOf(transaction: StoreTransaction, address: string): Promise<string | undefined> {
  const peers = await transaction.selectFrom('peers').select(['public_key', 'allowed_ips']).execute();
  const matches = peers
    .flatMap((peer) => rangesOf(peer).map((range) => ({ key: peer.public_key, range })))
    .filter(({ range }) => contains(range, address))
    .sort((a, b) => b.range.length - a.range.length);
  return matches[0]?.key;
}

/** Writes a peer. @throws ApiError `peer_exists`, `allowed_ips_overlap` */
export async function insertPeer(context: Context, transaction: StoreTransaction, row: PeerTable): Promise<void> {
  const others = await transaction.selectFrom('peers').selectAll().execute();
  if (others.some((other) => other.public_key === row.public_key || other.name === row.name)) {
    throw new ApiError('peer_exists');
  }
  const gateway = [context.config.wireguard.address4, context.config.wireguard.address6];
  const taken = [...others.flatMap(rangesOf), ...gateway.flatMap((address) => parseRange(address) ?? [])];
  const wanted = rangesOf(row);
  // Refused even where a longer prefix would win: who carries an address must not depend on the order of additions.
  const clash = wanted.some((range) => taken.some((other) => overlap(range, other)));
  if (clash) throw new ApiError('allowed_ips_overlap');
  await transaction.insertInto('peers').values(row).execute();
}

export function rangesOf(row: Pick<PeerTable, 'allowed_ips'>): AddressRange[] {
  return (JSON.parse(row.allowed_ips) as string[]).flatMap((text) => parseRange(text) ?? []);
}

function parsePeer(context: Context, peer: NewPeer): PeerTable {
  const { publicKey, presharedKey, endpoint, keepaliveS = 0 } = peer;
  const keys = [publicKey, ...(presharedKey === undefined ? [] : [presharedKey])];
  if (!keys.every((key) => wireguardKeyField.safeParse(key).success)) throw new ApiError('key_malformed');
  const ranges = peer.allowedIps.map((text) => parseRange(text) ?? malformed());
  if (ranges.length === 0) malformed();
  if (endpoint !== undefined && !endpointField.safeParse(endpoint).success) throw new ApiError('endpoint_malformed');
  const name = peer.name ?? defaultName(publicKey);
  if (!nameField.safeParse(name).success) throw new ApiError('name_malformed');
  return {
    public_key: publicKey,
    name,
    allowed_ips: JSON.stringify(ranges.map(formatRange)),
    endpoint: endpoint ?? null,
    preshared_key: presharedKey === undefined ? null : context.vault.seal(presharedKey, publicKey),
    keepalive_s: keepaliveS === 0 ? null : keepaliveS,
    connector_id: null,
    created_at: context.clock.now(),
  };
}

function malformed(): never {
  throw new ApiError('allowed_ips_malformed');
}

function defaultName(publicKey: string): string {
  return `peer-${Buffer.from(nodeCrypto.sha256(Buffer.from(publicKey, 'base64')))
    .toString('hex')
    .slice(0, 8)}`;
}

async function recordChange(
  context: Context,
  transaction: StoreTransaction,
  operation: string,
  row: PeerTable,
): Promise<void> {
  const detail = { operation, publicKey: row.public_key, name: row.name, allowedIps: row.allowed_ips };
  await context.audit.record(transaction, newEvent(context, { type: 'peer.change', actor: 'system', detail }));
}

function shown(row: PeerTable): ShownPeer {
  return {
    publicKey: row.public_key,
    name: row.name,
    allowedIps: JSON.parse(row.allowed_ips) as string[],
    ...(row.endpoint !== null && { endpoint: row.endpoint }),
    ...(row.keepalive_s !== null && { keepaliveS: row.keepalive_s }),
    presharedKey: row.preshared_key !== null,
    connector: row.connector_id !== null,
    protection: row.connector_id !== null ? 'exchanged' : row.preshared_key !== null ? 'preshared' : 'classical',
  };
}
