/** Builds the content of a policy snapshot from the store: policies, the entities they speak of, services, peers. */

import type { CedarEntity, PeerRecord, ServiceRecord, SnapshotContent } from '../channel/snapshot-content.ts';
import type { Config } from '../config.ts';
import { cedarTime } from '../policy/links.ts';
import type { PeerTable, ServiceTable } from '../store/tables/services.ts';
import type { StoreTransaction } from '../store/tables.ts';
import type { Context } from './context.ts';
import { liveFederations } from './federations.ts';
import { serviceSpiffeId } from './identifiers.ts';
import { liveLinks } from './links.ts';
import { settingsOf } from './services.ts';

/** Reads everything sorted, so that the same state gives the same text. */
export async function readPolicyContent(
  { config, clock, ca }: Context,
  transaction: StoreTransaction,
): Promise<SnapshotContent> {
  const services = await transaction
    .selectFrom('services')
    .selectAll()
    .where('suspended_at', 'is', null)
    .orderBy('name')
    .execute();
  const connectors = await transaction.selectFrom('connectors').select(['wireguard_key', 'evidence']).execute();
  const evidence = new Map(connectors.map((row) => [row.wireguard_key, row.evidence]));
  const peers = await transaction.selectFrom('peers').selectAll().orderBy('public_key').execute();
  const policies = await transaction.selectFrom('policies').selectAll().orderBy('id').execute();
  return {
    policies: Object.fromEntries(policies.map(({ id, text }) => [id, text])),
    entities: [
      ...(await people(transaction)),
      ...(await devices(transaction)),
      ...namespacesOf(services).map((id) => entity({ type: 'Namespace', id }, {}, [])),
      ...services.map((row) => serviceEntity(row, evidence.get(row.wireguard_key) ?? 'none')),
    ],
    services: services.map((row) => serviceRecord(config, row)),
    links: await liveLinks(transaction, clock.now()),
    peers: peers.map(peerRecord),
    subnets: [config.wireguard.subnet4, config.wireguard.subnet6],
    authority: ca.certificate,
    federations: await liveFederations(transaction, clock.now()),
  };
}

/** People whose access was taken away are left out, which denies them everything. */
async function people(transaction: StoreTransaction): Promise<CedarEntity[]> {
  const users = await transaction
    .selectFrom('users')
    .select(['id', 'name'])
    .where('disabled_at', 'is', null)
    // Guests are known by their links.
    .where('link_id', 'is', null)
    .orderBy('id')
    .execute();
  const memberships = await transaction
    .selectFrom('user_groups')
    .select(['user_id', 'group_name'])
    .orderBy('group_name')
    .execute();
  const ofUser = Map.groupBy(memberships, ({ user_id }) => user_id);
  const groups = [...new Set(memberships.map(({ group_name }) => group_name))];
  return [
    ...groups.map((id) => entity({ type: 'Group', id }, {}, [])),
    ...users.map(({ id, name }) =>
      entity(
        { type: 'User', id },
        { name },
        (ofUser.get(id) ?? []).map((one) => ({ type: 'Group', id: one.group_name })),
      ),
    ),
  ];
}

/** Those that may sign in, with the passkey each was enrolled with. */
async function devices(transaction: StoreTransaction): Promise<CedarEntity[]> {
  const rows = await transaction
    .selectFrom('devices')
    .innerJoin('credentials', 'credentials.id', 'devices.credential_id')
    .innerJoin('users', 'users.id', 'devices.user_id')
    .select(['devices.id', 'devices.created_at', 'credentials.aaguid', 'credentials.backup_eligible'])
    .select(['credentials.attestation', 'credentials.attested'])
    .where('devices.revoked_at', 'is', null)
    .where('devices.approved_at', 'is not', null)
    .where('users.disabled_at', 'is', null)
    .where('users.link_id', 'is', null)
    .orderBy('devices.id')
    .execute();
  return rows.map(({ id, created_at, aaguid, backup_eligible, attestation, attested }) => {
    // The extension's JSON form, which Cedar's own type does not hold to be JSON.
    const enrolled = cedarTime(created_at) as CedarEntity['attrs'][string];
    const passkey = { aaguid, synced: backup_eligible === 1, attestation, attested: attested === 1 };
    return entity({ type: 'Device', id }, { enrolled, ...passkey }, []);
  });
}

function namespacesOf(services: readonly ServiceTable[]): string[] {
  return [...new Set(services.map(({ namespace }) => namespace))].sort();
}

function serviceEntity(row: ServiceTable, evidence: 'none' | 'weak' | 'strong'): CedarEntity {
  const { labels } = settingsOf(row);
  const attrs = { scheme: row.scheme, demo: row.demo === 1, labels, evidence };
  return entity({ type: 'Service', id: row.name }, attrs, [{ type: 'Namespace', id: row.namespace }]);
}

function entity(uid: CedarEntity['uid'], attrs: CedarEntity['attrs'], parents: CedarEntity['parents']): CedarEntity {
  return { uid, attrs, parents };
}

function serviceRecord(config: Config, row: ServiceTable): ServiceRecord {
  const { host, corsFrom } = settingsOf(row);
  return {
    name: row.name,
    title: row.title,
    spiffeId: serviceSpiffeId(config, row),
    // The column was written from the same union.
    scheme: row.scheme as ServiceRecord['scheme'],
    address: row.address,
    port: row.port,
    path: row.path,
    upstreamHost: row.upstream_host,
    wireguardKey: row.wireguard_key,
    ...(row.demo === 1 && { demo: true }),
    ...(host !== 'public' && { host }),
    ...(corsFrom.length > 0 && { corsFrom }),
    ...(row.inner_tls === 1 && { innerTls: true }),
    ...(row.far_id !== null && { farId: row.far_id }),
  };
}

function peerRecord(row: PeerTable): PeerRecord {
  return {
    publicKey: row.public_key,
    allowedIps: JSON.parse(row.allowed_ips) as string[],
    name: row.name,
    ...(row.endpoint !== null && { endpoint: row.endpoint }),
    ...(row.keepalive_s !== null && { keepaliveS: row.keepalive_s }),
    ...(row.connector_id !== null && { pskExchange: true }),
  };
}
