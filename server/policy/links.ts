/**
 * What a one-click link lets its guests do, as Cedar judges it: at the control plane for launches, at the gateway for
 * every OPEN and every request. The rules of links are policies with reserved names, so that a deny says which of them
 * it was; they are part of the engine and cannot be replaced, and an administrator's own `forbid` still wins over them.
 */
import type { CedarValueJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { LinkRecord } from '../channel/snapshot-content.ts';

/** Methods that RFC 9110 (section 9.2.1) calls safe: an app that changes something on GET breaks that promise. */
const safeMethods = ['GET', 'HEAD', 'OPTIONS'];

/** By reserved id. Each forbid holds as well when what it asks for is missing. */
export const linkPolicies: Readonly<Record<string, string>> = {
  'link-grant':
    'permit (principal is Guest, action, resource) when { context has link && context.link.services.contains(resource) };',
  'link-scope':
    'forbid (principal is Guest, action, resource) unless { context has link && context.link.services.contains(resource) };',
  'link-expired':
    'forbid (principal is Guest, action, resource) unless { context has link && context.now < context.link.expires };',
  'link-uses':
    'forbid (principal is Guest, action, resource) unless { context has link && context.link.use <= context.link.uses };',
  'link-hours': 'forbid (principal is Guest, action, resource) unless { context has link && context.link.isOpen };',
  // What a stream of another kind than HTTP does to the service, nobody can tell from outside.
  'link-read-only': `forbid (principal is Guest, action == Action::"open", resource)
    when { context has link && context.link.readOnly && context has kind && context.kind != "http" };`,
  'link-read-only-request': `forbid (principal is Guest, action == Action::"request", resource)
    when { context has link && context.link.readOnly }
    unless { context has method && ${JSON.stringify(safeMethods)}.contains(context.method) };`,
};

/** The `link` of a decision's context. @param use which use of the link, from 1. @param atMs ms since 1970 */
export function linkContext(link: LinkRecord, use: number, atMs: number): Record<string, CedarValueJson> {
  return {
    services: link.services.map((id) => ({ __entity: { type: 'Service', id } })),
    expires: cedarTime(link.expiresAt),
    use,
    uses: link.maxUses,
    readOnly: link.readOnly,
    kiosk: link.kiosk,
    isOpen: isOpen(link, atMs),
  };
}

/** An instant as Cedar's datetime extension reads it. */
export function cedarTime(atMs: number): CedarValueJson {
  return { __extn: { fn: 'datetime', arg: new Date(atMs).toISOString() } };
}

/** Whether the link's hours, in its own time zone, hold this instant. Without hours it is open all day. */
export function isOpen(link: Pick<LinkRecord, 'hours' | 'zone'>, atMs: number): boolean {
  return link.hours.length === 0 || openMinutesLeft(link, atMs) > 0;
}

const minutesOfDay = 24 * 60;

/**
 * The instant at which a guest who is in now has to leave: the end of the link or of its present hours, whichever comes
 * first. Where the clocks are turned meanwhile, an hour early or late: the gateway asks again at each request anyway.
 */
export function leaveBy(link: Pick<LinkRecord, 'hours' | 'zone' | 'expiresAt'>, atMs: number): number {
  if (link.hours.length === 0) return link.expiresAt;
  const minuteStart = atMs - (atMs % 60_000);
  return Math.min(link.expiresAt, minuteStart + openMinutesLeft(link, atMs) * 60_000);
}

/** Minutes from the present one to the end of the longest range it is in; 0 outside all. A range may pass midnight. */
function openMinutesLeft({ hours, zone }: Pick<LinkRecord, 'hours' | 'zone'>, atMs: number): number {
  const minute = minuteOfDay(zone, atMs);
  const left = hours.map(({ from, to }) => {
    const [since, length] = [minute - from, to - from].map((one) => (one + minutesOfDay) % minutesOfDay);
    return since! < length! ? length! - since! : 0;
  });
  return Math.max(0, ...left);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function minuteOfDay(zone: string, atMs: number): number {
  const known = formats.get(zone);
  const format =
    known ?? new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  if (known === undefined) formats.set(zone, format);
  const [hour = 0, minute = 0] = format.format(atMs).split(':').map(Number);
  return hour * 60 + minute;
}
