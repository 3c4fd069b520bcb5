/**
 * A request on its way to the service: what the browser said is checked, what belongs to one hop or claims an identity
 * is taken out, and what only the gateway may say is put in.
 * Pure: a head in, a head out. Cookies come from the jar, sockets from the bridge.
 */
import {
  type Caller,
  type ExchangeContext,
  type FetchSite,
  hostOf,
  type RequestFacts,
  toldOrigin,
  upstreamOrigin,
} from './context.ts';
import {
  checkHeaders,
  checkMethod,
  checkTarget,
  contentLength,
  firstOf,
  type Header,
  HeaderError,
  isToken,
  withoutHopByHop,
} from './headers.ts';

/** A request head as the tunnel carries it; `:name` fields are for the gateway alone. */
export interface TunnelRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly Header[];
}

/** What goes to the service, before cookies. */
export interface UpstreamRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Header[];
  readonly facts: RequestFacts;
  /** Declared by the client; undefined when it streams. */
  readonly contentLength: number | undefined;
}

/** Names that tell an app who is calling or where from: the gateway's to say, never a client's. */
const claims = new Set([
  'forwarded',
  'via',
  'client-ip',
  'remote-user',
  'remote-groups',
  'remote-name',
  'remote-email',
  'true-client-ip',
  'proxy',
  'cookie',
  'cookie2',
  'host',
  'content-length',
  'accept-encoding',
  'origin',
  'x-client-ip',
  'x-client-cert',
  'x-client-dn',
  'x-client-verify',
  'x-original-url',
  'x-original-uri',
  'x-original-host',
  'x-original-forwarded-for',
  'x-rewrite-url',
]);
const claimPrefixes = [
  'x-latchkey-',
  'x-forwarded-',
  'x-real-ip',
  'x-cluster-client-ip',
  'x-remote-',
  'x-auth-request-',
  'x-authenticated-',
  'x-webauth-',
  'x-goog-authenticated-',
  'cf-access-',
  'cf-connecting-ip',
  'ssl-client-',
  'x-ssl-',
  'sec-fetch-',
];

/** CGI and WSGI write `-` and `_` as one letter, so `X_Forwarded_For` would arrive as the real thing. */
function isClaim(name: string): boolean {
  const folded = name.replaceAll('_', '-');
  return claims.has(folded) || claimPrefixes.some((prefix) => folded.startsWith(prefix));
}

/**
 * @param request hostile.
 * @throws HeaderError for anything that could mean two things to two readers.
 */
export function translateRequest(request: TunnelRequest, context: ExchangeContext): UpstreamRequest {
  const method = checkMethod(request.method);
  const target = checkTarget(request.target);
  const pseudo = request.headers.filter(([name]) => name.startsWith(':'));
  const given = checkHeaders(request.headers.filter(([name]) => !name.startsWith(':')));
  const facts = readFacts(pseudo, method);
  const kept = withoutHopByHop(given).filter(([name]) => !isClaim(name));
  const headers: Header[] = [
    ['host', hostOf(toldOrigin(context))],
    ...kept.map((header) => mapAddress(header, context)),
    ...encodingOf(given, facts),
    ...originOf(given, method, facts, context),
    ...fetchMetadata(facts),
    ...minted(context),
  ];
  return { method, target, headers, facts, contentLength: contentLength(given) };
}

function readFacts(pseudo: readonly Header[], method: string): RequestFacts {
  // The value grammar is checked for these too: `:cookies` ends up in a header.
  const checked = checkHeaders(pseudo.map(([name, text]) => [name.slice(1), text]));
  const mode = tokenOf(checked, 'mode');
  return {
    jarKey: firstOf(checked, 'jar-key'),
    scriptCookies: firstOf(checked, 'cookies'),
    dest: tokenOf(checked, 'dest'),
    mode,
    site: siteOf(firstOf(checked, 'site'), mode, method),
    ...(firstOf(checked, 'credentials') === 'omit' ? { isAnonymous: true as const } : {}),
  };
}

function tokenOf(headers: readonly Header[], name: string): string | undefined {
  const text = firstOf(headers, name);
  if (text === undefined || text === '') return undefined;
  if (!isToken(text)) throw new HeaderError('bad_header');
  return text;
}

const sites: readonly string[] = ['same-origin', 'same-site', 'cross-site', 'none'] satisfies FetchSite[];

/** A service worker sees requests of its own pages; only a navigation can come from elsewhere, and unsaid it counts so. */
function siteOf(said: string | undefined, mode: string | undefined, method: string): FetchSite {
  // The list holds the members of the type and nothing else.
  if (said !== undefined && sites.includes(said)) return said as FetchSite;
  return mode === 'navigate' && method !== 'GET' && method !== 'HEAD' ? 'cross-site' : 'same-origin';
}

/** A service worker's response is never decoded by the browser, so without the client's word nothing is encoded. */
function encodingOf(given: readonly Header[], facts: RequestFacts): Header[] {
  const asked = firstOf(given, 'accept-encoding');
  return [['accept-encoding', asked === undefined || isDocument(facts) ? 'identity' : asked]];
}

/** Destinations that make a document with a script realm of its own. */
export function isDocument(facts: Pick<RequestFacts, 'dest'>): boolean {
  return ['document', 'iframe', 'frame', 'object', 'embed'].includes(facts.dest ?? '');
}

/** The browser adds Origin below the service worker, out of its sight; so it is added here by the same rules. */
function originOf(given: readonly Header[], method: string, facts: RequestFacts, context: ExchangeContext): Header[] {
  const said = firstOf(given, 'origin');
  const own = toldOrigin(context);
  if (said !== undefined) return [['origin', said === context.publicOrigin ? own : said]];
  const safe = method === 'GET' || method === 'HEAD';
  if (safe && facts.mode !== 'websocket') return [];
  return [['origin', facts.site === 'cross-site' || facts.site === 'same-site' ? 'null' : own]];
}

function fetchMetadata(facts: RequestFacts): Header[] {
  if (facts.mode === undefined) return [];
  return [
    ['sec-fetch-dest', facts.dest ?? 'empty'],
    ['sec-fetch-mode', facts.mode],
    ['sec-fetch-site', facts.site],
  ];
}

/** Fields in which a client names the service by its address; Destination is WebDAV's (RFC 4918 section 10.3). */
const ownAddress = new Set(['referer', 'destination']);

function mapAddress(header: Header, context: ExchangeContext): Header {
  const [name, text] = header;
  if (!ownAddress.has(name) || context.hostRule === 'public') return header;
  if (text !== context.publicOrigin && !text.startsWith(`${context.publicOrigin}/`)) return header;
  return [name, upstreamOrigin(context.service) + text.slice(context.publicOrigin.length)];
}

/** One origin everywhere: an app that believes these fields compares Origin with them. */
function minted(context: ExchangeContext): Header[] {
  const told = toldOrigin(context);
  return [
    ['x-forwarded-for', context.clientAddress],
    ['x-forwarded-proto', told.slice(0, told.indexOf(':'))],
    ['x-forwarded-host', hostOf(told)],
    ...identity(context.caller),
  ];
}

function identity(caller: Caller | undefined): Header[] {
  if (caller === undefined) return [];
  return [
    ['x-latchkey-user', caller.user],
    ['x-latchkey-name', inAscii(caller.name)],
    ['x-latchkey-groups', caller.groups.map(inAscii).join(',')],
    ['x-latchkey-device', caller.device],
    ['x-latchkey-jwt', caller.assertion],
  ];
}

/** Anything a field cannot carry, or a list would be split at, percent-encoded as in a URL (RFC 3986 section 2.1). */
function inAscii(text: string): string {
  return text.replace(/[^\x20-\x24\x26-\x2b\x2d-\x7e]+/g, encodeURIComponent);
}
