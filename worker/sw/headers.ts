/** Which headers cross between a page's fetch and the tunnel. */
import { acceptLanguage } from '../accept-language.ts';
import { cookiesHeader } from '../app-messages.ts';
import { siblingOrigin } from '../origins.ts';
import { hidesReferrer } from './referrer-policy.ts';

/** What is known of a request beside it. */
interface Known {
  /** Who asks. */
  readonly client: string;
  /** Of its body. */
  readonly length: number | undefined;
  /** Of an EventSource that comes again. */
  readonly lastEventId: string | undefined;
}

/**
 * What a browser sends itself and keeps from a service worker's `Request.headers`. Origin is not among it: the gateway
 * writes it, by the rules of {@link Sites}.
 */
export function requestHeaders(request: Request, { client, length, lastEventId = '' }: Known): [string, string][] {
  const headers: [string, string][] = [...request.headers].filter(([name]) => name !== cookiesHeader);
  const add = (name: string, value: string) => {
    if (value !== '' && !request.headers.has(name)) headers.push([name, value]);
  };
  add('user-agent', navigator.userAgent);
  add('accept-language', acceptLanguage(navigator.languages));
  add('accept', request.mode === 'navigate' ? 'text/html,application/xhtml+xml,*/*;q=0.8' : '*/*');
  add('content-length', length === undefined ? '' : String(length));
  add('referer', isReferrer(request.referrer) && !hidesReferrer(request, client) ? request.referrer : '');
  for (const [name, value] of isOwn(request) ? (cacheFields[request.cache] ?? []) : []) add(name, value);
  // UTF-8, each byte a character, as heads carry text.
  const id = Array.from(new TextEncoder().encode(lastEventId), (byte) => String.fromCharCode(byte)).join('');
  add('last-event-id', id);
  return headers;
}

/** What a browser tells the caches on the way (Fetch standard, "HTTP-network-or-cache fetch", steps 16 to 18). */
const cacheFields: Partial<Record<RequestCache, readonly (readonly [string, string])[]>> = {
  'no-cache': [['cache-control', 'max-age=0']],
  'no-store': [
    ['pragma', 'no-cache'],
    ['cache-control', 'no-cache'],
  ],
  reload: [
    ['pragma', 'no-cache'],
    ['cache-control', 'no-cache'],
  ],
};

/** In a call to another app, whoever answers for CORS could not tell them from what the page says itself. */
function isOwn({ url }: Request): boolean {
  return new URL(url).origin === self.location.origin;
}

/** The browser has already applied the page's referrer policy to it. That it stands in the shell's frame is not the app's to know. */
function isReferrer(referrer: string): boolean {
  return /^https?:/.test(referrer) && new URL(referrer).origin !== siblingOrigin(self.location, 'shell');
}

const decodable = new Set(['gzip', 'deflate']);

/**
 * A response made by a service worker is not decoded by the browser, so what can be is decoded here.
 * @param isPage that a window is to show. The browser's own viewer of PDF would ask for ranges of it, past the service worker.
 * @returns the headers the page may see and, where the body is compressed, the transform that undoes it.
 */
export function responseHeaders(
  list: readonly (readonly [string, string])[],
  isPage = false,
): {
  headers: Headers;
  decode?: TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>;
} {
  const headers = new Headers();
  for (const [name, value] of list) headers.append(name, value);
  if (isPage && headers.get('content-type')?.toLowerCase().startsWith('application/pdf'))
    headers.delete('accept-ranges');
  const encoding = headers.get('content-encoding')?.trim().toLowerCase();
  if (encoding === undefined || !decodable.has(encoding)) return { headers };
  headers.delete('content-encoding');
  headers.delete('content-length');
  return { headers, decode: new DecompressionStream(encoding as CompressionFormat) };
}
