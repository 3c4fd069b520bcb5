/**
 * What an answer of a service shows of the service: from its headers, and from the text of its pages and scripts. Text
 * is read as text: a pattern in a comment counts, a name built at run time does not. The report shows what was seen.
 */
import type { Finding, Trait } from '../../channel/probe-report.ts';
import { admitShim } from '../exchange/csp.ts';
import { type Header, valuesOf } from '../exchange/headers.ts';
import { readSetCookie } from '../exchange/set-cookie.ts';
import type { Visit } from './visitor.ts';

type Evidence = Finding['evidence'][number];
export type Sighting = Evidence & { readonly trait: Trait };

/** What is needed to judge an answer. */
export interface Surroundings {
  readonly shim: URL;
  /** Names the service may set cookies for. */
  readonly ownHosts: readonly string[];
  /** Its own address inside the data plane, as a page could have it written in. */
  readonly upstreamOrigins: readonly string[];
}

const headerTraits: readonly (readonly [Trait, readonly string[]])[] = [
  ['csp', ['content-security-policy', 'content-security-policy-report-only']],
  [
    'cross-origin-isolation',
    ['cross-origin-opener-policy', 'cross-origin-embedder-policy', 'cross-origin-resource-policy'],
  ],
  ['frame-refusal', ['x-frame-options']],
  ['hsts', ['strict-transport-security']],
  ['stripped-headers', ['alt-svc', 'clear-site-data', 'nel', 'report-to', 'reporting-endpoints', 'public-key-pins']],
  ['http-authentication', ['www-authenticate']],
];

// Every repetition has a bound: the text is a stranger's, and this process carries everybody's traffic.
const textTraits: readonly (readonly [Trait, RegExp])[] = [
  ['websocket', /\bnew\s{1,4}WebSocket\s{0,4}\(|["'`]wss?:\/\/|\bsocket\.io\b/],
  ['server-sent-events', /\bnew\s{1,4}EventSource\s{0,4}\(/],
  ['service-worker', /\bserviceWorker\s{0,4}\.\s{0,4}register\s{0,4}\(/],
  ['worker', /\bnew\s{1,4}(?:Shared)?Worker\s{0,4}\(/],
  ['synchronous-xhr', /\.open\(\s{0,8}["']\w{3,16}["']\s{0,8},[^;{}]{1,200}?,\s{0,8}(?:false|!1)\s{0,8}[,)]/],
  [
    'frame-busting',
    /\b(?:window|self)(?:\.self)? {0,2}!==? {0,2}(?:window\.)?top\b|\btop {0,2}!==? {0,2}(?:window\.)?self\b/,
  ],
];

const metaPolicy = /<meta\b[^<>]{0,1000}?http-equiv\s{0,4}=\s{0,4}["']?content-security-policy["']?[^<>]{0,2000}>/i;

export function traitsOf(visit: Visit, around: Surroundings): Sighting[] {
  return [...ofHeaders(visit, around), ...ofCookies(visit, around), ...ofText(visit, around)];
}

/** What a file says for pages means nothing. */
const pagesAlone: ReadonlySet<Trait> = new Set<Trait>(['csp', 'cross-origin-isolation', 'frame-refusal']);

function ofHeaders({ target, headers, type, status }: Visit, { shim }: Surroundings): Sighting[] {
  const isPage = type.includes('html');
  const meant = headerTraits.filter(([trait]) => isPage || !pagesAlone.has(trait));
  const said = meant.flatMap(([trait, names]) =>
    names.flatMap((name) =>
      valuesOf(headers, name).map((text) => ({ trait, where: target, what: `${name}: ${text}` })),
    ),
  );
  const policies = headers.filter(([name]) => isPage && name === 'content-security-policy');
  const form = policies.length > 0 ? [sighting('csp', target, howShimComes(policies, shim))] : [];
  const refuses = policies.filter(([, text]) => /frame-ancestors/i.test(text));
  const stream = type === 'text/event-stream' ? [sighting('server-sent-events', target, `content-type: ${type}`)] : [];
  const upgrade = status === 426 ? [sighting('websocket', target, 'status 426, upgrade required')] : [];
  return [
    ...said,
    ...form,
    ...refuses.map(([, text]) => sighting('frame-refusal', target, /frame-ancestors[^;,]*/i.exec(text)?.[0] ?? '')),
    ...stream,
    ...upgrade,
  ];
}

function howShimComes(policies: Header[], shim: URL): string {
  const { form, nonce } = admitShim(policies, shim, 'N').shim;
  return `the shim is let in as ${form === 'inline' ? 'inline script' : 'a file of its own origin'}${nonce === undefined ? ', the policy unchanged' : ', by a nonce added to it'}`;
}

/** Names and attributes; the values are the service's secrets. */
function ofCookies({ target, headers }: Visit, { ownHosts }: Surroundings): Sighting[] {
  return valuesOf(headers, 'set-cookie').map((line) => {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const name = pair.includes('=') ? pair.slice(0, pair.indexOf('=')) : '';
    const trait = readSetCookie(line, ownHosts) === undefined ? 'cookies-refused' : 'cookies';
    return sighting(trait, target, [name, ...attributes].join('; '));
  });
}

function ofText({ target, text, type }: Visit, { upstreamOrigins }: Surroundings): Sighting[] {
  if (text === '') return [];
  const isPage = type.includes('html');
  const isCode = isPage || /javascript/.test(type);
  const found = isCode ? textTraits.flatMap(([trait, pattern]) => excerpt(trait, target, text, pattern)) : [];
  const own = upstreamOrigins.flatMap((origin) => {
    const at = indexOfOrigin(text, origin);
    return at < 0 ? [] : [sighting('absolute-urls', target, around(text, at))];
  });
  const meta = isPage ? (metaPolicy.exec(text)?.[0] ?? '') : '';
  return [...found, ...own, ...(meta === '' ? [] : [sighting('csp', target, meta)])];
}

/** Not one that only begins like it. */
function indexOfOrigin(text: string, origin: string): number {
  for (let at = text.indexOf(origin); at >= 0; at = text.indexOf(origin, at + 1))
    if (!/[\w.:-]/.test(text.charAt(at + origin.length))) return at;
  return -1;
}

function excerpt(trait: Trait, where: string, text: string, pattern: RegExp): Sighting[] {
  const at = pattern.exec(text)?.index;
  return at === undefined ? [] : [sighting(trait, where, around(text, at))];
}

const around = (text: string, at: number): string =>
  text
    .slice(Math.max(0, at - 30), at + 110)
    .replace(/\s+/g, ' ')
    .trim();

const sighting = (trait: Trait, where: string, what: string): Sighting => ({ trait, where, what });
