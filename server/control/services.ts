/**
 * The services people can open. Adding one binds it, from then on in signed state, to the WireGuard key of the peer
 * that carries its address at that moment. The demo service exists only while there is no other.
 */
import { parseSpiffeId } from '../../protocol/spiffe.ts';
import { nameField } from '../channel/fields.ts';
import type { ConnectorHello } from '../channel/messages.ts';
import type { HostRule } from '../channel/snapshot-content.ts';
import { tunnelLabel } from '../config.ts';
import type { ServiceTable } from '../store/tables/services.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { onlyAddress } from './address-range.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { isFederated } from './federations.ts';
import { newEvent } from './identifiers.ts';
import { holds, noLimit, type Page } from './page.ts';
import { carrierOf, rangesOf } from './peers.ts';
import { parseServiceUrl, type ServiceUrl } from './service-url.ts';

export interface NewService {
  readonly name: string;
  readonly url: string;
  readonly title?: string | undefined;
  readonly host?: HostRule | undefined;
  readonly corsFrom?: readonly string[] | undefined;
  /** What policies may say of it besides its name; `default` and none. */
  readonly namespace?: string | undefined;
  readonly labels?: readonly string[] | undefined;
  /** SPIFFE id of a federated trust domain that it shows in TLS inside WireGuard; empty for none. */
  readonly farId?: string | undefined;
}

/** What may be changed of a service without taking it away; absent stays as it is. */
export type ServiceSettings = Omit<NewService, 'name' | 'url'>;

export interface ShownService {
  readonly name: string;
  readonly title: string;
  readonly url: string;
  readonly address: string;
  readonly port: number;
  readonly wireguardKey: string;
  readonly demo: boolean;
  readonly host: HostRule;
  readonly corsFrom: string[];
  readonly namespace: string;
  readonly labels: string[];
  readonly farId: string;
  /** Nobody may open it until it is resumed. */
  readonly suspended: boolean;
}

/** Host names on the apps' domain that are not services. */
const reservedNames = new Set(['shell', 'hub', tunnelLabel]);
export const demoName = 'demo';
/** Where its connector has the door with TLS (server/connector/main.ts). */
const demoPort = 443;

/** @throws ApiError by what is wrong first: name, URL, then whether anything carries the address */
export async function addService(context: Context, service: NewService): Promise<ShownService> {
  if (!nameField.safeParse(service.name).success) throw new ApiError('name_malformed');
  if (reservedNames.has(service.name)) throw new ApiError('name_reserved');
  const url = parseServiceUrl(service.url);
  return context.audit.transact(async (transaction) => {
    // First, so that a service of one's own may be called demo.
    await transaction.deleteFrom('services').where('demo', '=', 1).execute();
    const existing = await transaction
      .selectFrom('services')
      .select('name')
      .where('name', '=', service.name)
      .executeTakeFirst();
    if (existing !== undefined) throw new ApiError('service_exists');
    const row = await rowOf(context, transaction, service, url, false);
    await checkFarId(context, transaction, row);
    await transaction.insertInto('services').values(row).execute();
    await recordChange(context, transaction, 'service.add', row);
    return shown(row);
  });
}

/** @throws ApiError `service_unknown`, `title_malformed`, `name_malformed`, `label_malformed`, `far_id_malformed`, `federation_needed` */
export function changeService(context: Context, name: string, settings: ServiceSettings): Promise<ShownService> {
  return context.audit.transact(async (transaction) => {
    const before = await transaction
      .selectFrom('services')
      .selectAll()
      .where('name', '=', name)
      .where('demo', '=', 0)
      .executeTakeFirst();
    if (before === undefined) throw new ApiError('service_unknown');
    const { title = before.title, host = before.host, namespace = before.namespace, corsFrom, labels } = settings;
    const changed = {
      title: checkTitle(title),
      host,
      cors_from: corsFrom === undefined ? before.cors_from : callersText(name, corsFrom),
      namespace: checkLabel(namespace),
      labels: labels === undefined ? before.labels : labelsText(labels),
    };
    const row = { ...before, ...changed, far_id: (settings.farId ?? before.far_id) || null };
    // A federation that has ended keeps nobody from giving its service another title.
    if (row.far_id !== before.far_id || row.namespace !== before.namespace) await checkFarId(context, transaction, row);
    await transaction.updateTable('services').set(row).where('name', '=', name).execute();
    await recordChange(context, transaction, 'service.set', row, before);
    return shown(row);
  });
}

/** @throws ApiError `service_unknown` */
export function removeService(context: Context, name: string): Promise<void> {
  return context.audit.transact(async (transaction) => {
    const row = await transaction
      .deleteFrom('services')
      .where('name', '=', name)
      .where('demo', '=', 0)
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) throw new ApiError('service_unknown');
    await recordChange(context, transaction, 'service.remove', row);
    await syncDemo(context, transaction);
  });
}

/** By name. @returns a page of them, and how many fit the search */
export async function listServices(
  { store }: Pick<Context, 'store'>,
  { search = '', offset = 0, limit = noLimit }: Page = {},
): Promise<{ services: ShownService[]; total: number }> {
  let found = store.selectFrom('services');
  if (search !== '') found = found.where(holds(['services.name', 'services.title'], search));
  const { total } = await found.select(({ fn }) => fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  const rows = await found.selectAll().orderBy('name').limit(limit).offset(offset).execute();
  return { services: rows.map(shown), total };
}

/** Services that somebody defined; the demo service is not one. */
export async function countDefined(context: Context): Promise<number> {
  const { count } = await context.store
    .selectFrom('services')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('demo', '=', 0)
    .executeTakeFirstOrThrow();
  return count;
}

/**
 * The services that a connector publishes, bound to its key; another port takes the place of the one before. A name that
 * is a service of somebody else's is not given away.
 * @throws ApiError `service_exists`, `name_reserved`
 */
export async function publishExposed(
  context: Context,
  transaction: StoreTransaction,
  connector: { readonly name: string; readonly wireguard_key: string },
  exposes: ConnectorHello['exposes'],
): Promise<void> {
  for (const { name, port, scheme } of exposes) {
    if (scheme === undefined) continue;
    if (reservedNames.has(name)) throw new ApiError('name_reserved');
    const existing = await transaction.selectFrom('services').selectAll().where('name', '=', name).executeTakeFirst();
    const isDefined = existing !== undefined && existing.demo === 0;
    const isTheirs = isDefined && existing.wireguard_key === connector.wireguard_key && existing.inner_tls === 1;
    if (isDefined && !isTheirs) throw new ApiError('service_exists');
    const url = `${scheme}://${connector.name}.wg:${port}`;
    if (existing?.url === url && isTheirs) continue;
    const made = await rowOf(context, transaction, { name, url }, parseServiceUrl(url), false);
    // What an operator set for it stays.
    const row = isTheirs ? { ...existing, url, scheme, port } : { ...made, inner_tls: 1 };
    await transaction.deleteFrom('services').where('name', '=', name).execute();
    await transaction.insertInto('services').values(row).execute();
    await recordChange(context, transaction, isTheirs ? 'service.change' : 'service.add', row);
  }
}

/** Makes the demo service when its connector is known and nothing else is defined; takes it away otherwise. */
export async function syncDemo(context: Context, transaction: StoreTransaction): Promise<void> {
  await transaction.deleteFrom('services').where('demo', '=', 1).execute();
  const defined = await transaction.selectFrom('services').select('name').executeTakeFirst();
  const connector = await transaction
    .selectFrom('peers')
    .select('public_key')
    .where('name', '=', demoName)
    .where('connector_id', 'is not', null)
    .executeTakeFirst();
  if (!context.config.demo || defined !== undefined || connector === undefined) return;
  const service = { name: demoName, url: `http://${demoName}.wg` };
  const row = await rowOf(context, transaction, service, parseServiceUrl(service.url), true);
  await transaction
    .insertInto('services')
    .values({ ...row, port: demoPort, inner_tls: 1 })
    .execute();
}

async function rowOf(
  context: Context,
  transaction: StoreTransaction,
  service: NewService,
  url: ServiceUrl,
  demo: boolean,
): Promise<ServiceTable> {
  const { address, wireguardKey } = await placeOf(transaction, url);
  return {
    name: service.name,
    title: checkTitle(service.title ?? service.name),
    url: service.url,
    scheme: url.scheme,
    address,
    port: url.port,
    path: url.path,
    upstream_host: url.upstreamHost,
    wireguard_key: wireguardKey,
    demo: demo ? 1 : 0,
    inner_tls: 0,
    created_at: context.clock.now(),
    suspended_at: null,
    host: service.host ?? 'public',
    cors_from: callersText(service.name, service.corsFrom ?? []),
    namespace: checkLabel(service.namespace ?? 'default'),
    labels: labelsText(service.labels ?? []),
    far_id: service.farId || null,
  };
}

/** A name of another domain goes where that one is federated, and not with a connector of ours, which shows our name. */
async function checkFarId(context: Context, transaction: StoreTransaction, row: ServiceTable): Promise<void> {
  if (row.far_id === null) return;
  const trustDomain = parseSpiffeId(row.far_id)?.trustDomain;
  const isOthers = trustDomain !== undefined && trustDomain !== context.config.trustDomain;
  if (!isOthers || row.inner_tls === 1 || row.scheme === 'udp') throw new ApiError('far_id_malformed');
  const { namespace } = row;
  if (!(await isFederated(context, transaction, { trustDomain, namespace }))) throw new ApiError('federation_needed');
}

async function placeOf(
  transaction: StoreTransaction,
  { host }: ServiceUrl,
): Promise<{ address: string; wireguardKey: string }> {
  if ('connector' in host) {
    const peer = await transaction
      .selectFrom('peers')
      .select(['public_key', 'allowed_ips'])
      .where('name', '=', host.connector)
      .executeTakeFirst();
    const address = peer === undefined ? undefined : onlyAddress(rangesOf(peer));
    if (peer === undefined || address === undefined) throw new ApiError('connector_unknown');
    return { address, wireguardKey: peer.public_key };
  }
  const wireguardKey = await carrierOf(transaction, host.address);
  if (wireguardKey === undefined) throw new ApiError('unreachable_host');
  return { address: host.address, wireguardKey };
}

function checkTitle(title: string): string {
  if (!/^[^\p{C}\p{Zl}\p{Zp}]{1,128}$/u.test(title)) throw new ApiError('title_malformed');
  return title;
}

/** Services named here need not exist yet; a page of one's own is of the same origin and needs no leave. */
function callersText(name: string, callers: readonly string[]): string {
  const given = [...new Set(callers)].filter((caller) => caller !== name).sort();
  if (!given.every((caller) => nameField.safeParse(caller).success)) throw new ApiError('name_malformed');
  return JSON.stringify(given);
}

const maxLabels = 32;

/** Namespaces and labels are words as names are. */
function checkLabel(label: string): string {
  if (!nameField.safeParse(label).success) throw new ApiError('label_malformed');
  return label;
}

function labelsText(labels: readonly string[]): string {
  const given = [...new Set(labels.map(checkLabel))].sort();
  if (given.length > maxLabels) throw new ApiError('label_malformed');
  return JSON.stringify(given);
}

async function recordChange(
  context: Context,
  transaction: StoreTransaction,
  operation: string,
  row: ServiceTable,
  before: Pick<ServiceTable, 'far_id'> = row,
): Promise<void> {
  const { url, address, port, host, namespace, labels } = row;
  const place = { url, address, port, wireguardKey: row.wireguard_key };
  // Nobody takes the far end's name away without a trace: from then on any far end will do.
  const far = (row.far_id ?? before.far_id) !== null && { farId: row.far_id ?? '', farIdBefore: before.far_id ?? '' };
  const detail = { operation, ...place, host, corsFrom: row.cors_from, namespace, labels, ...far };
  const event = { type: 'service.change', actor: 'system', service: row.name, detail } as const;
  await context.audit.record(transaction, newEvent(context, event));
}

function shown(row: ServiceTable): ShownService {
  return {
    name: row.name,
    title: row.title,
    url: row.url,
    address: row.address,
    port: row.port,
    wireguardKey: row.wireguard_key,
    demo: row.demo === 1,
    namespace: row.namespace,
    farId: row.far_id ?? '',
    suspended: row.suspended_at !== null,
    ...settingsOf(row),
  };
}

/** The columns were written from these types. */
export function settingsOf(row: ServiceTable): { host: HostRule; corsFrom: string[]; labels: string[] } {
  return {
    host: row.host as HostRule,
    corsFrom: JSON.parse(row.cors_from) as string[],
    labels: JSON.parse(row.labels) as string[],
  };
}
