/** Script-visible cookies in the browser's own store (Cookie Store API), where a service worker is told of them. */

interface VisibleCookie {
  readonly name?: string;
  readonly value?: string;
}

/** Typed here because the compiler's library does not know it in every realm. */
export interface CookieStoreLike {
  getAll(options: { url: string }): Promise<readonly VisibleCookie[]>;
  set(cookie: { name: string; value: string; path: string; expires: number | null; sameSite: string }): Promise<void>;
  delete(cookie: { name: string; path: string }): Promise<void>;
}

/** @returns those of the address, as `document.cookie` would say it there. */
export async function cookiesIn(store: CookieStoreLike, url: string): Promise<string> {
  const cookies = await store.getAll({ url });
  return cookies.map(({ name, value }) => (name ? `${name}=${value ?? ''}` : (value ?? ''))).join('; ');
}

/** The store puts a slash at the end of each path, and then the path itself would be without the cookie. */
export function isForStore(line: string): boolean {
  return pathOf(line).endsWith('/');
}

/** @param lines in the shape of Set-Cookie. One that the browser refuses costs no other its place. */
export async function writeInto(store: CookieStoreLike, lines: readonly string[]): Promise<void> {
  for (const line of lines) await write(store, line).catch(() => undefined);
}

async function write(store: CookieStoreLike, line: string): Promise<void> {
  const [pair = ''] = line.split(';');
  const equals = pair.indexOf('=');
  const name = pair.slice(0, Math.max(equals, 0)).trim();
  const value = pair.slice(equals + 1).trim();
  const path = pathOf(line);
  const expires = expiry(attribute(line, 'max-age'), attribute(line, 'expires'));
  if (expires !== null && expires <= Date.now()) await store.delete({ name, path });
  else await store.set({ name, value, path, expires, sameSite: (attribute(line, 'samesite') ?? 'lax').toLowerCase() });
}

const pathOf = (line: string): string => attribute(line, 'path') || '/';

function attribute(line: string, wanted: string): string | undefined {
  const [, ...attributes] = line.split(';').map((part) => part.trim());
  return attributes.find((text) => text.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1);
}

function expiry(maxAge: string | undefined, expires: string | undefined): number | null {
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) return Date.now() + Number(maxAge) * 1_000;
  const at = expires === undefined ? Number.NaN : Date.parse(expires);
  return Number.isNaN(at) ? null : at;
}
