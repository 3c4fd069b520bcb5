/**
 * A response on its way to the browser: hop fields out, cookies into the jar, the service's own URLs into public ones,
 * what would reach beyond the app's origin stripped, and for a document the place of the shim decided.
 * Pure but for the jar it is given; the body is {@link ResponsePlan}'s to describe and the bridge's to move.
 */

import { asciiDisposition, asciiUrl } from './ascii.ts';
import { canDecode, codingsOf } from './content-coding.ts';
import { type ExchangeContext, hostOf, type RequestFacts } from './context.ts';
import type { CookieRequest, ServiceJar } from './cookie-jar.ts';
import { admitShellFrame, admitShim, isSandboxed } from './csp.ts';
import { checkHeaders, firstOf, type Header, listItems, valuesOf, withoutHopByHop } from './headers.ts';
import { isSniffed } from './html-sniffing.ts';
import { isolateInFrame } from './isolation.ts';
import { publicRefresh, publicUrl } from './locations.ts';
import { isDocument } from './request-rules.ts';

/** A response head of the service. */
export interface UpstreamResponse {
  readonly status: number;
  readonly headers: readonly Header[];
}

export interface ResponsePlan {
  readonly status: number;
  readonly headers: Header[];
  /** Codings to undo before the body goes on, as `content-coding.ts` takes them. */
  readonly decode: readonly string[];
  /** The element to inject and the type of the document, or undefined for a body that passes as it is. */
  readonly inject: { readonly element: string; readonly contentType: string } | undefined;
}

/** The request that a response answers. */
export interface AnsweredRequest extends CookieRequest {
  readonly facts: RequestFacts;
  /** Whether the client itself asked for encoded bytes, and so can decode them. */
  readonly acceptsEncoding: boolean;
}

/** What a document gets, and where it comes from. */
export interface ShimSource {
  /** Path on the app's origin. */
  readonly path: string;
  /** Its text, for pages whose policy allows inline script only; undefined leaves such a page without it. */
  readonly inline: string | undefined;
  /** Fresh, unguessable, base64. */
  readonly nonce: () => string;
}

/**
 * Fields whose word would reach beyond one app: the transport security and routes of a whole host, and reports that
 * the browser would send past the service worker.
 */
const stripped = new Set([
  'strict-transport-security',
  'public-key-pins',
  'public-key-pins-report-only',
  'alt-svc',
  'alt-used',
  'nel',
  'report-to',
  'reporting-endpoints',
  'set-cookie',
  'set-cookie2',
  'clear-site-data',
]);

/** Fields that speak of the exact bytes, which a changed body no longer has. */
const byteExact = new Set([
  'content-length',
  'content-md5',
  'digest',
  'content-digest',
  'repr-digest',
  'accept-ranges',
]);

/** @throws HeaderError for a head that a browser and a proxy could read differently. */
export function translateResponse(
  response: UpstreamResponse,
  request: AnsweredRequest,
  context: ExchangeContext,
  jar: ServiceJar,
  shim: ShimSource,
): ResponsePlan {
  const given = withOneType(withoutHopByHop(checkHeaders(response.headers)));
  const cookies = keepCookies(given, request, context, jar);
  const mapped = given.filter(([name]) => !stripped.has(name)).map((header) => mapUrls(header, context));
  // A 304's fields replace those kept with the page (RFC 9111 section 3.2), and with them its own policy.
  const isPage = isDocument(request.facts) && response.status !== 304;
  const framed = admitShellFrame([...mapped, ...siteData(given)], context.shellOrigin, isPage);
  const plan = planBody(response.status, isolateInFrame(framed, request.facts), request, context, shim);
  return { ...plan, headers: [...plan.headers, ...cookies.map((line): Header => [':set-cookie', line])] };
}

/**
 * Of several types the last one counts (Fetch standard, "extract a MIME type"). A service worker's response has one field
 * of a name, and joined by a comma they are no type at all.
 */
function withOneType(headers: readonly Header[]): readonly Header[] {
  const last = headers.findLast(([name, text]) => name === 'content-type' && text.includes('/'));
  return last === undefined ? headers : headers.filter((one) => one[0] !== 'content-type' || one === last);
}

/** Cookies first, then a sweep: a response that does both means to end without any. */
function keepCookies(
  headers: readonly Header[],
  request: AnsweredRequest,
  context: ExchangeContext,
  jar: ServiceJar,
): string[] {
  const ownHosts = [hostOf(context.publicOrigin), context.service.upstreamHost].map((host) =>
    host.replace(/:\d+$/, ''),
  );
  const mirrored = jar.store(valuesOf(headers, 'set-cookie'), request, ownHosts);
  const sweep = siteDataTypes(headers).some((type) => type === '"cookies"' || type === '"*"');
  return sweep ? [...mirrored, ...jar.clear(request)] : mirrored;
}

const siteDataTypes = (headers: readonly Header[]): string[] => valuesOf(headers, 'clear-site-data').flatMap(listItems);

/**
 * `"storage"` would end our service worker and `"cookies"` the cookies of every app of the domain: the jar does the
 * second, and only the cache, which is the origin's own, is left to the browser.
 */
function siteData(headers: readonly Header[]): Header[] {
  const types = siteDataTypes(headers);
  return types.includes('"cache"') || types.includes('"*"') ? [['clear-site-data', '"cache"']] : [];
}

function mapUrls([name, text]: Header, context: ExchangeContext): Header {
  if (name === 'location' || name === 'content-location') return [name, publicUrl(asciiUrl(text), context)];
  if (name === 'content-disposition') return [name, asciiDisposition(text)];
  return name === 'refresh' ? [name, publicRefresh(asciiUrl(text), context)] : [name, text];
}

function planBody(
  status: number,
  headers: Header[],
  request: AnsweredRequest,
  context: ExchangeContext,
  shim: ShimSource,
): ResponsePlan {
  const plain: ResponsePlan = { status, headers, decode: [], inject: undefined };
  // A part of an encoded body cannot be decoded, and a part of a document has no head.
  if (!hasBody(status, request.method) || status === 206) return plain;
  const codings = codingsOf(headers);
  const decodable = codings.length > 0 && canDecode(codings);
  const document = isInjectable(status, headers, request) && (codings.length === 0 || decodable);
  const decoded = decodable && (document || !request.acceptsEncoding);
  const base = decoded ? unencoded(headers) : headers;
  const decode = decoded ? codings : [];
  return document ? planShim({ ...plain, headers: base, decode }, context, shim) : { ...plain, headers: base, decode };
}

/** RFC 9112 section 6.3: what never has a body, whatever its fields say. */
export function hasBody(status: number, method: string): boolean {
  return method !== 'HEAD' && status >= 200 && status !== 204 && status !== 304;
}

const unencoded = (headers: readonly Header[]): Header[] =>
  headers.filter(([name]) => name !== 'content-encoding' && !byteExact.has(name));

/** Whole HTML documents that the browser will show, or that it may find to be one; never downloads, fragments fetched by script, SVG or PDF. */
function isInjectable(status: number, headers: readonly Header[], request: AnsweredRequest): boolean {
  if (!isDocument(request.facts) || (status >= 300 && status < 400)) return false;
  if (/^\s*attachment\b/i.test(firstOf(headers, 'content-disposition') ?? '')) return false;
  if (firstOf(headers, 'content-length') === '0') return false;
  if (isSniffed(headers)) return true;
  return /^\s*(?:text\/html|application\/xhtml\+xml)\s*(?:;|$)/i.test(firstOf(headers, 'content-type') ?? '');
}

function planShim(plan: ResponsePlan, context: ExchangeContext, shim: ShimSource): ResponsePlan {
  // Of another origin than its own, the page could not load the file, and had no service worker to speak to.
  if (isSandboxed(plan.headers)) return plan;
  const admitted = admitShim(plan.headers, new URL(shim.path, context.publicOrigin), shim.nonce());
  const nonce = admitted.shim.nonce === undefined ? '' : ` nonce="${admitted.shim.nonce}"`;
  const contentType = firstOf(plan.headers, 'content-type') ?? '';
  if (admitted.shim.form === 'external')
    return changed(plan, admitted.headers, `<script src="${shim.path}"${nonce}></script>`, contentType);
  // Without the text there is nothing that this page's policy would run; it stays as the service made it.
  const unfit = /xhtml/i.test(contentType) || /<\/script|<!--/i.test(shim.inline ?? '');
  if (shim.inline === undefined || unfit) return plan;
  return changed(plan, admitted.headers, `<script${nonce}>${shim.inline}</script>`, contentType);
}

function changed(plan: ResponsePlan, headers: Header[], element: string, contentType: string): ResponsePlan {
  return { ...plan, headers: headers.filter(([name]) => !byteExact.has(name)), inject: { element, contentType } };
}
