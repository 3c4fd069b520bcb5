/**
 * SPIFFE ids: the grammar of the SPIFFE ID standard (section 2), and the five kinds of path that Latchkey gives out.
 * Authorisation speaks of these names, never of addresses.
 */
import { maxSpiffeIdBytes } from './limits.ts';

/** A name of one of our kinds, taken apart. `other` is a well-formed id of somebody else's making. */
export type SpiffeId =
  | { readonly kind: 'device'; readonly trustDomain: string; readonly user: string; readonly device: string }
  | { readonly kind: 'guest'; readonly trustDomain: string; readonly link: string; readonly use: string }
  | { readonly kind: 'gateway'; readonly trustDomain: string; readonly id: string }
  | { readonly kind: 'connector'; readonly trustDomain: string; readonly id: string }
  | { readonly kind: 'service'; readonly trustDomain: string; readonly namespace: string; readonly name: string }
  | { readonly kind: 'other'; readonly trustDomain: string; readonly path: readonly string[] };

const scheme = 'spiffe://';
const trustDomainPattern = /^[a-z0-9._-]{1,255}$/;
const segmentPattern = /^[A-Za-z0-9._-]+$/;

const isSegment = (text: string): boolean => segmentPattern.test(text) && text !== '.' && text !== '..';

/** A trust domain name: lower-case letters, digits, dots, dashes, underscores. */
export function isTrustDomain(text: string): boolean {
  return trustDomainPattern.test(text);
}

/** A well-formed SPIFFE id with a path, at most 200 bytes (the standard's grammar is ASCII). */
export function isSpiffeId(text: string): boolean {
  return parseSpiffeId(text) !== undefined;
}

/** Undefined for anything that is not a well-formed workload id of at most 200 bytes. */
export function parseSpiffeId(text: string): SpiffeId | undefined {
  if (text.length > maxSpiffeIdBytes || !text.startsWith(scheme)) return undefined;
  const [trustDomain, ...path] = text.slice(scheme.length).split('/');
  if (trustDomain === undefined || !isTrustDomain(trustDomain)) return undefined;
  if (path.length === 0 || !path.every(isSegment)) return undefined;
  return classify(trustDomain, path);
}

function classify(trustDomain: string, path: string[]): SpiffeId {
  const [a, b, c, d] = path as [string, string, string, string];
  if (path.length === 4 && a === 'user' && c === 'device') return { kind: 'device', trustDomain, user: b, device: d };
  if (path.length === 4 && a === 'ns' && c === 'svc') return { kind: 'service', trustDomain, namespace: b, name: d };
  if (path.length === 3 && a === 'guest') return { kind: 'guest', trustDomain, link: b, use: c };
  if (path.length === 2 && a === 'gateway') return { kind: 'gateway', trustDomain, id: b };
  if (path.length === 2 && a === 'connector') return { kind: 'connector', trustDomain, id: b };
  return { kind: 'other', trustDomain, path };
}

/** @throws TypeError when a part does not fit the grammar or the whole is too long. */
export function formatSpiffeId(id: SpiffeId): string {
  const text = `${scheme}${id.trustDomain}/${pathOf(id).join('/')}`;
  const parsed = parseSpiffeId(text);
  // A part with a slash would still parse, as another name: compare what comes back.
  if (parsed === undefined || pathOf(parsed).length !== pathOf(id).length) throw new TypeError('not a SPIFFE id');
  return text;
}

function pathOf(id: SpiffeId): readonly string[] {
  switch (id.kind) {
    case 'device':
      return ['user', id.user, 'device', id.device];
    case 'guest':
      return ['guest', id.link, id.use];
    case 'gateway':
      return ['gateway', id.id];
    case 'connector':
      return ['connector', id.id];
    case 'service':
      return ['ns', id.namespace, 'svc', id.name];
    case 'other':
      return id.path;
    default:
      return id satisfies never;
  }
}
