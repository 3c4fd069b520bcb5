/**
 * Reads one Set-Cookie line (RFC 6265bis section 5.6) and says no to what section 5.7 says no to, as far as it can be
 * told from the line alone. The library's parser does the grammar; what it is too kind about stands here.
 */
import { Cookie } from 'tough-cookie';

/** RFC 6265bis section 5.6: name and value together; an attribute's value that is longer does not count. */
const maxCookieBytes = 4_096;
const maxAttributeBytes = 1_024;
const maxLineBytes = 16_384;
/** RFC 6265bis section 5.5: nothing is kept for longer. */
const maxLifeS = 400 * 86_400;

/**
 * A cookie of one host. Domain says which other hosts get it; here there are none, so its only use is to refuse a
 * foreign one.
 * @param ownHosts names the service may write into Domain: they mean itself.
 * @returns undefined for a line that a browser would drop too.
 */
export function readSetCookie(line: string, ownHosts: readonly string[]): Cookie | undefined {
  if (line.length > maxLineBytes) return undefined;
  const cookie = parse(withoutLongAttributes(line));
  if (cookie === undefined || cookie.key.length + cookie.value.length > maxCookieBytes) return undefined;
  if (cookie.key === '' && cookie.value === '') return undefined;
  const { domain } = cookie;
  const says = domain !== null && domain !== '';
  if (says && !ownHosts.some((host) => host === domain || host.endsWith(`.${domain}`))) return undefined;
  if (!keepsPromise(cookie, says) || !isSecureWhereItMust(cookie, line)) return undefined;
  cookie.domain = null;
  if (typeof cookie.maxAge === 'number') cookie.maxAge = Math.min(cookie.maxAge, maxLifeS);
  else if (cookie.expires instanceof Date) cookie.expires = new Date(Math.min(cookie.expires.getTime(), lastTime()));
  return cookie;
}

/** A line that begins with `=` has no name, however many more it has; the library would take the next one for it. */
function parse(line: string): Cookie | undefined {
  const isNameless = /^[\t ]*=/.test(line);
  const cookie = Cookie.parse(isNameless ? `unnamed${line.trimStart()}` : line, { loose: true });
  if (cookie !== undefined && isNameless) cookie.key = '';
  return cookie;
}

const lastTime = (): number => Date.now() + maxLifeS * 1_000;

function withoutLongAttributes(line: string): string {
  const [pair = '', ...attributes] = line.split(';');
  const kept = attributes.filter((text) => text.slice(text.indexOf('=') + 1).trim().length <= maxAttributeBytes);
  return [pair, ...kept].join(';');
}

/** RFC 6265bis section 5.7, steps 20 to 22: what a name's beginning promises, in any case, and no nameless one may fake. */
function keepsPromise(cookie: Cookie, hasDomain: boolean): boolean {
  const name = cookie.key.toLowerCase();
  const faked = name === '' && /^__(?:secure|host)-/i.test(cookie.value);
  if (faked || (name.startsWith('__secure-') && !cookie.secure)) return false;
  return !name.startsWith('__host-') || (cookie.secure && !hasDomain && cookie.path === '/');
}

/** Browsers take SameSite=None and Partitioned from whoever says Secure, and from nobody else. */
function isSecureWhereItMust(cookie: Cookie, line: string): boolean {
  if (cookie.secure) return true;
  const partitioned = line
    .split(';')
    .slice(1)
    .some((text) => /^\s*partitioned\s*(?:=|$)/i.test(text));
  return cookie.sameSite !== 'none' && !partitioned;
}
