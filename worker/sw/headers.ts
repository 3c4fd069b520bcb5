/** Which headers cross between a page's fetch and the tunnel. */

/**
 * What a browser sends itself and keeps from a service worker's `Request.headers`. Origin is not among it: the gateway
 * writes it, by the rules of {@link siteOf}.
 */
export function requestHeaders(request: Request): [string, string][] {
  const headers: [string, string][] = [...request.headers].map(([name, value]) => [name, value]);
  const add = (name: string, value: string) => {
    if (value !== '' && !request.headers.has(name)) headers.push([name, value]);
  };
  add('user-agent', navigator.userAgent);
  add('accept-language', navigator.languages.join(', '));
  add('accept', request.mode === 'navigate' ? 'text/html,application/xhtml+xml,*/*;q=0.8' : '*/*');
  // The browser has already applied the page's referrer policy to this.
  add('referer', /^https?:/.test(request.referrer) ? request.referrer : '');
  return headers;
}

const decodable = new Set(['gzip', 'deflate']);

/**
 * A response made by a service worker is not decoded by the browser, so what can be is decoded here.
 * @returns the headers the page may see and, where the body is compressed, the transform that undoes it.
 */
export function responseHeaders(list: readonly (readonly [string, string])[]): {
  headers: Headers;
  decode?: TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>;
} {
  const headers = new Headers();
  for (const [name, value] of list) headers.append(name, value);
  const encoding = headers.get('content-encoding')?.trim().toLowerCase();
  if (encoding === undefined || !decodable.has(encoding)) return { headers };
  headers.delete('content-encoding');
  headers.delete('content-length');
  return { headers, decode: new DecompressionStream(encoding as CompressionFormat) };
}
