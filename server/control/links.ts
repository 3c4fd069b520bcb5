/**
 * One-click links: what an administrator hands to a guest. A link names services and terms; its secret is told once,
 * travels in the fragment of a URL and is kept as its digest. A link is never deleted: what is over stays to be asked for.
 */
import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { base64url } from '../../protocol/bytes.ts';
import type { LinkRecord } from '../channel/snapshot-content.ts';
import { origins } from '../config.ts';
import type { LinkTable } from '../store/tables/guests.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { digestOf, newEvent, newId, newSecret } from './identifiers.ts';
import { holds, noLimit, type Page } from './page.ts';

export interface NewLink {
  readonly services: readonly string[];
  /** Seconds from now. */
  readonly ttlS: number;
  readonly uses: number;
  readonly kiosk: boolean;
  readonly readOnly: boolean;
  /** An administrator lets each guest in. */
  readonly approval: boolean;
  /** `08:00-18:00`; none for all day. */
  readonly hours: readonly string[];
  /** IANA time zone of the hours. */
  readonly zone: string;
  /** E-mail address of the one it is for. */
  readonly recipient?: string | undefined;
}

export type LinkState = 'live' | 'used' | 'expired' | 'revoked';

/** A link as administrators see it: without its secret, which nobody has but its guests. */
export interface ShownLink extends Omit<LinkRecord, 'hours'> {
  readonly hours: string[];
  readonly approval: boolean;
  readonly recipient?: string;
  readonly used: number;
  readonly state: LinkState;
  readonly createdAt: number;
  readonly revokedAt?: number;
  readonly reason?: string;
}

/** Links that may be live at once: each stands in every policy snapshot. */
const maxLiveLinks = 2_000;
const limits = { ttlS: 366 * 86_400, uses: 10_000, services: 32, hours: 16 };
const recipientSchema = z.email().max(254);

/** @returns the link and its URL, the only place its secret is told. @throws ApiError `link_malformed`, `service_unknown`, `link_too_many` */
export async function createLink(
  context: Context,
  wanted: NewLink,
  actor = context.actor ?? 'system',
): Promise<{ link: ShownLink; url: string }> {
  const secret = newSecret();
  const row = rowOf(context, wanted, secret, actor);
  await context.audit.transact(async (transaction) => {
    await requireServices(transaction, wanted.services);
    await requireRoom(context, transaction);
    await transaction.insertInto('links').values(row).execute();
    await recordChange(context, transaction, 'link.create', row, actor);
  });
  // In the fragment, which browsers never send. The fingerprint is what the guest's browser will pin.
  const url = `${origins.hub(context.config)}/link#${row.id}.${secret}.${base64url(context.pki.fingerprint)}`;
  return { link: shown(context, row), url };
}

/** Newest first. @returns a page of them, and how many fit the search */
export async function listLinks(
  context: Pick<Context, 'store' | 'clock'>,
  { search = '', offset = 0, limit = noLimit }: Page = {},
): Promise<{ links: ShownLink[]; total: number }> {
  let found = context.store.selectFrom('links');
  if (search !== '') found = found.where(holds(['links.id', 'links.services', 'links.recipient'], search));
  const { total } = await found.select(({ fn }) => fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  const rows = await found
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(limit)
    .offset(offset)
    .execute();
  return { links: rows.map((row) => shown(context, row)), total };
}

/** @throws ApiError `link_unknown` */
export async function showLink(context: Context, id: string): Promise<ShownLink> {
  const row = await context.store.selectFrom('links').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw new ApiError('link_unknown');
  return shown(context, row);
}

/** The links that guests may come by or be inside by, for the policy in force; sorted. */
export async function liveLinks(transaction: StoreTransaction, now: number): Promise<LinkRecord[]> {
  const rows = await transaction
    .selectFrom('links')
    .selectAll()
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .orderBy('id')
    .execute();
  return rows.map(recordOf);
}

/** All links, those that are over as well: what was decided while they lived. */
export async function linkRecords(context: Context): Promise<LinkRecord[]> {
  return (await context.store.selectFrom('links').selectAll().orderBy('id').execute()).map(recordOf);
}

/** What a guest knows of their link. */
export interface LinkKey {
  readonly link: string;
  /** base64url, as it stands in the URL. */
  readonly secret: string;
}

/**
 * The link that a guest holds the secret of, whatever has become of it. Whoever lacks the secret learns nothing.
 * @throws ApiError `link_unknown`
 */
export async function linkByKey(context: Context, { link, secret }: LinkKey): Promise<LinkTable> {
  const row = await context.store.selectFrom('links').selectAll().where('id', '=', link).executeTakeFirst();
  const told = digestOf(secret);
  if (!timingSafeEqual(told, row?.secret_hash ?? new Uint8Array(told.length)) || row === undefined) {
    throw new ApiError('link_unknown');
  }
  return row;
}

/** @throws ApiError `link_revoked`, `link_expired`, `link_used` */
export function requireUsable(context: Context, link: LinkTable): void {
  const state = stateOf(context, link);
  if (state !== 'live') throw new ApiError(`link_${state}`);
}

/**
 * Takes one use; of any number of callers no more succeed than the link has uses.
 * @returns which use it is, from 1. @throws ApiError `link_used`, which rolls the caller's transaction back
 */
export async function takeUse(context: Context, transaction: StoreTransaction, id: string): Promise<number> {
  const row = await transaction
    .updateTable('links')
    .set((link) => ({ used: link('used', '+', 1) }))
    .where('id', '=', id)
    .whereRef('used', '<', 'max_uses')
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', context.clock.now())
    .returning('used')
    .executeTakeFirst();
  if (row === undefined) throw new ApiError('link_used');
  return row.used;
}

/** Writes that a link is over. @throws ApiError `link_unknown` */
export async function revokeLink(
  context: Context,
  transaction: StoreTransaction,
  id: string,
  reason: string | undefined,
): Promise<void> {
  const row = await transaction
    .updateTable('links')
    .set({ revoked_at: context.clock.now(), revoked_reason: reason ?? null })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) throw new ApiError('link_unknown');
  await recordChange(context, transaction, 'link.revoke', row, 'system', reason);
}

export function recordOf(row: LinkTable): LinkRecord {
  return {
    id: row.id,
    services: JSON.parse(row.services) as string[],
    expiresAt: row.expires_at,
    maxUses: row.max_uses,
    readOnly: row.read_only === 1,
    kiosk: row.kiosk === 1,
    hours: JSON.parse(row.hours) as LinkRecord['hours'],
    zone: row.zone,
  };
}

function rowOf(context: Context, wanted: NewLink, secret: string, actor: string): LinkTable {
  const { services, ttlS, uses, hours, recipient } = wanted;
  const fits =
    isWhole(ttlS, limits.ttlS) &&
    isWhole(uses, limits.uses) &&
    isWhole(services.length, limits.services) &&
    hours.length <= limits.hours &&
    isZone(wanted.zone) &&
    (recipient === undefined || recipientSchema.safeParse(recipient).success);
  if (!fits) throw new ApiError('link_malformed');
  const now = context.clock.now();
  return {
    id: newId(),
    secret_hash: digestOf(secret),
    services: JSON.stringify([...new Set(services)].sort()),
    expires_at: now + ttlS * 1_000,
    max_uses: uses,
    used: 0,
    kiosk: wanted.kiosk ? 1 : 0,
    read_only: wanted.readOnly ? 1 : 0,
    approval: wanted.approval ? 1 : 0,
    hours: JSON.stringify(hours.map(parseRange)),
    zone: wanted.zone,
    recipient: recipient?.toLowerCase() ?? null,
    created_by: actor,
    created_at: now,
    revoked_at: null,
    revoked_reason: null,
  };
}

function isWhole(value: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= 1 && value <= most;
}

function isZone(zone: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone.length > 0;
  } catch {
    return false;
  }
}

function parseRange(text: string): { from: number; to: number } {
  const match = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (match === null) throw new ApiError('link_malformed');
  const [fromHour, fromMinute, toHour, toMinute] = match.slice(1).map(Number) as [number, number, number, number];
  const range = { from: fromHour * 60 + fromMinute, to: toHour * 60 + toMinute };
  if (range.from === range.to) throw new ApiError('link_malformed');
  return range;
}

function formatRange({ from, to }: { readonly from: number; readonly to: number }): string {
  const time = (minute: number) =>
    [Math.trunc(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':');
  return `${time(from)}-${time(to)}`;
}

async function requireServices(transaction: StoreTransaction, names: readonly string[]): Promise<void> {
  const rows = await transaction.selectFrom('services').select('name').where('name', 'in', names).execute();
  if (rows.length !== new Set(names).size) throw new ApiError('service_unknown');
}

async function requireRoom(context: Context, transaction: StoreTransaction): Promise<void> {
  const { count } = await transaction
    .selectFrom('links')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', context.clock.now())
    .executeTakeFirstOrThrow();
  if (count >= maxLiveLinks) throw new ApiError('link_too_many');
}

async function recordChange(
  context: Context,
  transaction: StoreTransaction,
  operation: string,
  row: LinkTable,
  actor: string,
  why?: string,
): Promise<void> {
  const { services, hours, ...terms } = recordOf(row);
  const lists = { services: services.join(' '), hours: hours.map(formatRange).join(' ') };
  const given = { ...(row.recipient !== null && { recipient: row.recipient }), ...(why !== undefined && { why }) };
  const detail = { operation, ...terms, ...lists, approval: row.approval === 1, ...given };
  await context.audit.record(transaction, newEvent(context, { type: 'link.change', actor, subject: row.id, detail }));
}

function stateOf({ clock }: Pick<Context, 'clock'>, row: LinkTable): LinkState {
  if (row.revoked_at !== null) return 'revoked';
  if (row.expires_at <= clock.now()) return 'expired';
  return row.used >= row.max_uses ? 'used' : 'live';
}

function shown(context: Pick<Context, 'clock'>, row: LinkTable): ShownLink {
  const record = recordOf(row);
  return {
    ...record,
    hours: record.hours.map(formatRange),
    approval: row.approval === 1,
    used: row.used,
    state: stateOf(context, row),
    createdAt: row.created_at,
    ...(row.recipient !== null && { recipient: row.recipient }),
    ...(row.revoked_at !== null && { revokedAt: row.revoked_at }),
    ...(row.revoked_reason !== null && { reason: row.revoked_reason }),
  };
}
