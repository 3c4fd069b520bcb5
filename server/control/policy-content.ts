/** Builds the content of a policy snapshot from the store: policies, the entities they speak of, services, peers. */

import type { CedarEntity, PeerRecord, ServiceRecord, SnapshotContent } from '../channel/snapshot-content.ts';
import type { Config } from '../config.ts';
import type { PeerTable, ServiceTable, StoreTransaction } from '../store/tables.ts';
import type { Context } from './context.ts';
import { serviceSpiffeId } from './identifiers.ts';
import { liveLinks } from './links.ts';
import { settingsOf } from './services.ts';

/** The one namespace there is; services get it as their Cedar parent, so that policies can already name it. */
const namespace = { type: 'Namespace', id: 'default' };

/** Reads everything in one transaction, sorted, so that the same state gives the same text. */
export function readPolicyContent({ store, config, clock, ca }: Context): Promise<SnapshotContent> {
  return store.transaction().execute(async (transaction) => {
    const services = await transaction
      .selectFrom('services')
      .selectAll()
      .where('suspended_at', 'is', null)
      .orderBy('name')
      .execute();
    const peers = await transaction.selectFrom('peers').selectAll().orderBy('public_key').execute();
    const policies = await transaction.selectFrom('policies').selectAll().orderBy('id').execute();
    return {
      policies: Object.fromEntries(policies.map(({ id, text }) => [id, text])),
      entities: [...(await people(transaction)), entity(namespace, {}, []), ...services.map(serviceEntity)],
      services: services.map((row) => serviceRecord(config, row)),
      links: await liveLinks(transaction, clock.now()),
      peers: peers.map(peerRecord),
      subnets: [config.wireguard.subnet4, config.wireguard.subnet6],
      authority: ca.certificate,
    };
  });
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
  const groups = [...new Set(memberships.map(({ group_name }) => group_name))];
  return [
    ...groups.map((id) => entity({ type: 'Group', id }, {}, [])),
    ...users.map(({ id, name }) =>
      entity(
        { type: 'User', id },
        { name },
        memberships.filter((one) => one.user_id === id).map((one) => ({ type: 'Group', id: one.group_name })),
      ),
    ),
  ];
}

function serviceEntity(row: ServiceTable): CedarEntity {
  return entity({ type: 'Service', id: row.name }, { scheme: row.scheme, demo: row.demo === 1 }, [namespace]);
}

function entity(uid: CedarEntity['uid'], attrs: CedarEntity['attrs'], parents: CedarEntity['parents']): CedarEntity {
  return { uid, attrs, parents };
}

function serviceRecord(config: Config, row: ServiceTable): ServiceRecord {
  const { host, corsFrom } = settingsOf(row);
  return {
    name: row.name,
    title: row.title,
    spiffeId: serviceSpiffeId(config, row.name),
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
