/**
 * Lines that tell the service worker which script-visible cookie to write or remove, in the shape of Set-Cookie.
 * The service worker applies them with cookieStore, which knows neither HttpOnly nor Domain.
 */
import type { Cookie } from 'tough-cookie';

/** @param cookie one that script may see; its value is on its way to the page anyway. */
export function mirrorLine(cookie: Cookie): string {
  const ttl = cookie.TTL();
  if (ttl <= 0) return removalLine(cookie.key, cookie.path ?? '/');
  const parts = [`${cookie.key}=${cookie.value}`, `Path=${cookie.path ?? '/'}`];
  if (Number.isFinite(ttl)) parts.push(`Max-Age=${Math.ceil(ttl / 1_000)}`);
  if (cookie.sameSite !== undefined) parts.push(`SameSite=${cookie.sameSite}`);
  if (cookie.secure) parts.push('Secure');
  return parts.join('; ');
}

/** Removes the browser's copy. */
export function removalLine(name: string, path: string): string {
  return `${name}=; Path=${path}; Max-Age=0`;
}
