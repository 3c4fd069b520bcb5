/**
 * Other trust domains (QHX-10). None is believed unless an administrator hands over its bundle, names the namespaces whose
 * services may be of it, and says when that ends. What it is believed for is one thing: that the far end of TLS inside
 * WireGuard is the service whose name was written down for it. No person, device, gateway or connector comes in by it.
 * The bundle is handed over and never fetched: who keeps it up to date does so under their name.
 */
import { X509Certificate } from 'node:crypto';
import { base64url } from '../../protocol/bytes.ts';
import { isTrustDomain } from '../../protocol/spiffe.ts';
import type { FederationRecord } from '../channel/snapshot-content.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { BundleError, readBundle } from '../spiffe/foreign-bundle.ts';
import type { FederationTable } from '../store/tables/policy.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { newEvent } from './identifiers.ts';

export interface NewFederation {
  readonly trustDomain: string;
  /** JSON text of a SPIFFE bundle. */
  readonly bundle: string;
  readonly namespaces: readonly string[];
  /** s from now */
  readonly ttlS: number;
}

export interface ShownFederation {
  readonly trustDomain: string;
  readonly namespaces: string[];
  readonly expires: number;
  readonly expired: boolean;
  readonly authorities: number;
  readonly sequence?: number;
  readonly createdBy: string;
}

const maxFederations = 32;
const maxLifeMs = 366 * 86_400_000;
const labelPattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Puts one in force, in the place of the one before with this domain.
 * @throws ApiError `federation_malformed`, `federation_own`, `federation_too_many`, `bundle_*`
 */
export async function federate(context: Context, given: NewFederation): Promise<ShownFederation> {
  const row = rowOf(context, given);
  await context.audit.transact(async (transaction) => {
    const rows = await transaction.selectFrom('federations').selectAll().execute();
    const before = rows.find(({ trust_domain }) => trust_domain === row.trust_domain);
    const others = rows.filter((one) => one !== before && !isEnded(one));
    if (others.length >= maxFederations) throw new ApiError('federation_too_many');
    // A bundle that was replaced may hold a key that was taken back since.
    if (before !== undefined && (row.sequence ?? 0) < (before.sequence ?? 0)) throw new ApiError('bundle_outdated');
    const { trust_domain, ...changed } = row;
    await transaction
      .insertInto('federations')
      .values(row)
      .onConflict((conflict) => conflict.column('trust_domain').doUpdateSet(changed))
      .execute();
    await record(context, transaction, 'federation.set', row);
  });
  return shown(row, context.clock.now());
}

/**
 * What stays of it believes nobody, and remembers the sequence: a bundle from before does not come back by it.
 * @throws ApiError `federation_unknown`
 */
export async function endFederation(context: Context, trustDomain: string): Promise<void> {
  await context.audit.transact(async (transaction) => {
    const rows = transaction.selectFrom('federations').selectAll();
    const row = await rows.where('trust_domain', '=', trustDomain).executeTakeFirst();
    if (row === undefined || isEnded(row)) throw new ApiError('federation_unknown');
    const now = context.clock.now();
    await transaction
      .updateTable('federations')
      .set({ authorities: '[]', expires_at: Math.min(row.expires_at, now) })
      .where('trust_domain', '=', trustDomain)
      .execute();
    await record(context, transaction, 'federation.end', row);
  });
}

/** By hand; one that ended by itself still has its authorities. */
function isEnded({ authorities }: FederationTable): boolean {
  return authorities === '[]';
}

export async function listFederations({ store, clock }: Context): Promise<ShownFederation[]> {
  const rows = await store.selectFrom('federations').selectAll().orderBy('trust_domain').execute();
  return rows.map((row) => shown(row, clock.now()));
}

/** Those that have not ended, for gateways, which look at the end themselves. */
export async function liveFederations(transaction: StoreTransaction, now: number): Promise<FederationRecord[]> {
  const rows = await transaction
    .selectFrom('federations')
    .selectAll()
    .where('expires_at', '>', now)
    .orderBy('trust_domain')
    .execute();
  return rows.map((row) => ({
    trustDomain: row.trust_domain,
    namespaces: namesOf(row),
    expiresAt: row.expires_at,
    authorities: JSON.parse(row.authorities) as string[],
  }));
}

/** Whether services of this namespace may be of that domain. */
export async function isFederated(
  { clock }: Pick<Context, 'clock'>,
  transaction: StoreTransaction,
  { trustDomain, namespace }: { readonly trustDomain: string; readonly namespace: string },
): Promise<boolean> {
  const live = await liveFederations(transaction, clock.now());
  return live.some((one) => one.trustDomain === trustDomain && one.namespaces.includes(namespace));
}

function rowOf({ clock, config, actor }: Context, given: NewFederation): FederationTable {
  const { trustDomain, namespaces, ttlS } = given;
  const now = clock.now();
  const isWellFormed = isTrustDomain(trustDomain) && namespaces.length >= 1 && namespaces.length <= 32;
  if (!isWellFormed || !namespaces.every((name) => labelPattern.test(name))) throw new ApiError('federation_malformed');
  if (!(ttlS >= 1 && ttlS * 1_000 <= maxLifeMs)) throw new ApiError('federation_malformed');
  if (trustDomain === config.trustDomain) throw new ApiError('federation_own');
  const { authorities, sequence } = bundleOf(given, now);
  return {
    trust_domain: trustDomain,
    namespaces: JSON.stringify([...new Set(namespaces)].sort()),
    authorities: JSON.stringify(authorities),
    sequence: sequence ?? null,
    expires_at: now + ttlS * 1_000,
    created_at: now,
    created_by: actor ?? 'system',
  };
}

function bundleOf({ bundle, trustDomain }: NewFederation, now: number): ReturnType<typeof readBundle> {
  try {
    return readBundle(bundle, trustDomain, now);
  } catch (cause) {
    if (cause instanceof BundleError) throw new ApiError(cause.code, { cause });
    throw cause;
  }
}

function shown(row: FederationTable, now: number): ShownFederation {
  return {
    trustDomain: row.trust_domain,
    namespaces: namesOf(row),
    expires: row.expires_at,
    expired: row.expires_at <= now,
    authorities: (JSON.parse(row.authorities) as string[]).length,
    ...(row.sequence !== null && { sequence: row.sequence }),
    createdBy: row.created_by,
  };
}

const namesOf = ({ namespaces }: FederationTable): string[] => JSON.parse(namespaces) as string[];

async function record(
  context: Context,
  transaction: StoreTransaction,
  operation: string,
  row: FederationTable,
): Promise<void> {
  const authorities = digestsOf(row).join(' ');
  const sequence = row.sequence !== null && { sequence: row.sequence };
  const detail = { operation, namespaces: namesOf(row).join(' '), expires: row.expires_at, authorities, ...sequence };
  const event = { type: 'admin', actor: 'system', subject: `spiffe://${row.trust_domain}`, detail } as const;
  await context.audit.record(transaction, newEvent(context, event));
}

/** SHA-256 of each authority's DER, base64url: whose word was good, for whoever reads the audit years later. */
function digestsOf({ authorities }: FederationTable): string[] {
  const der = (JSON.parse(authorities) as string[]).map((pem) => new X509Certificate(pem).raw);
  return der.map((bytes) => base64url(nodeCrypto.sha256(bytes)));
}
