/**
 * Script-visible cookies. The jar lives at the gateway; a service worker's responses cannot set cookies, so those that
 * a page's scripts may see are mirrored here, and what scripts wrote is told to the gateway with each request.
 * HttpOnly cookies never come this far.
 */

interface VisibleCookie {
  readonly name?: string;
  readonly value?: string;
}
interface CookieStoreLike {
  getAll(options?: { url: string }): Promise<readonly VisibleCookie[]>;
  set(cookie: { name: string; value: string; path: string; expires: number | null; sameSite: string }): Promise<void>;
  delete(cookie: { name: string; path: string }): Promise<void>;
}

// Typed here because the compiler's library does not know it in every realm; absent in an old browser.
const store = (globalThis as { cookieStore?: CookieStoreLike }).cookieStore;

/**
 * @param url whose path the cookies must match; without it the store would tell those of the path `/` alone.
 * @returns `a=b; c=d` as a Cookie header would say it: UTF-8, each byte a character, as heads carry text.
 */
export async function visibleCookies(url: string): Promise<string> {
  const cookies = store === undefined ? [] : await cookiesFor(store, url);
  const text = cookies.map(({ name, value }) => (name ? `${name}=${value ?? ''}` : (value ?? ''))).join('; ');
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
}

/**
 * Chromium takes no address outside the worker's own script here (the standard says scope), and says so by a throw
 * where a promise was due: it knows the path `/` alone.
 */
async function cookiesFor(from: CookieStoreLike, url: string): Promise<readonly VisibleCookie[]> {
  try {
    return await from.getAll({ url });
  } catch {
    return from.getAll();
  }
}

/** The way back. Bytes that are no UTF-8 stay what a browser makes of them. */
function fromHeadText(text: string): string {
  return new TextDecoder().decode(Uint8Array.from(text, (char) => char.charCodeAt(0)));
}

/** Resolves when the page's scripts would see the cookies. A line the browser refuses is the page's loss alone. */
export async function mirrorCookies(lines: readonly string[]): Promise<void> {
  if (store === undefined) return;
  for (const line of lines) await mirror(store, line).catch(() => undefined);
}

async function mirror(to: CookieStoreLike, line: string): Promise<void> {
  const [pair = '', ...attributes] = fromHeadText(line)
    .split(';')
    .map((part) => part.trim());
  const equals = pair.indexOf('=');
  const name = equals < 0 ? '' : pair.slice(0, equals);
  const value = pair.slice(equals + 1);
  const attribute = (wanted: string) =>
    attributes.find((text) => text.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1);
  const path = attribute('path') || '/';
  const expires = expiry(attribute('max-age'), attribute('expires'));
  if (expires !== null && expires <= Date.now()) await to.delete({ name, path });
  else await to.set({ name, value, path, expires, sameSite: (attribute('samesite') ?? 'lax').toLowerCase() });
}

function expiry(maxAge: string | undefined, expires: string | undefined): number | null {
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) return Date.now() + Number(maxAge) * 1_000;
  const at = expires === undefined ? Number.NaN : Date.parse(expires);
  return Number.isNaN(at) ? null : at;
}
