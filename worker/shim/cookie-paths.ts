/**
 * Which paths other than `/` have cookies that scripts see. No browser tells all of them at once, so each is noted when a
 * cookie is written: in a cookie of our own path, which no page of the app sees, no service is sent, and which lives and
 * goes with the others. A note whose cookies are gone costs nothing but a look.
 */
import { ownPaths } from '../app-messages.ts';

const noteName = '__latchkey_path_';
/** RFC 6265bis section 5.5: no cookie lives longer. */
const lifeS = 400 * 86_400;

/**
 * The path of a cookie (RFC 6265bis sections 5.1.4 and 5.6.4).
 * @param line as `document.cookie` takes it.
 * @param page the path of the page that writes it.
 * @returns '' for that of a page in the first folder, which is `/` too.
 */
export function cookiePath(line: string, page: string): string {
  const [, written] = /.*;\s*path\s*=\s*(\/[^;]*?)\s*(?:;|$)/is.exec(line) ?? [];
  return written ?? page.replace(/\/[^/]*$/, '');
}

/** @returns the line that notes a cookie's path, for `document.cookie`; undefined when it needs no note. */
export function noteOf(line: string, page: string): string | undefined {
  const path = cookiePath(line, page);
  // Neither '' nor '/', which begins them all.
  if (!(path > '/')) return undefined;
  return `${noteName}${encodeURIComponent(path)}=1;path=${ownPaths};max-age=${lifeS}`;
}

/**
 * The longest noted path that a request's path matches (section 5.1.4). A page at that very path sees just the cookies that
 * go with the request: all shorter ones that match are beginnings of it.
 * @param cookies of a document below our own path.
 */
export function notedPathOf(cookies: string, path: string): string | undefined {
  const noted = cookies.split('; ').flatMap((pair): string | [] => {
    if (!pair.startsWith(noteName)) return [];
    try {
      return decodeURIComponent(pair.slice(noteName.length, pair.indexOf('=')));
    } catch {
      return []; // no note of ours: a sibling of the app can set cookies for both
    }
  });
  // An address with a question mark or a number sign in it has another path.
  return noted
    .filter((one) => matches(path, one) && !/[?#]/.test(one))
    .sort((one, other) => other.length - one.length)[0];
}

/** As a document that is not below our own path would say it. */
export function withoutOwn(cookies: string): string {
  return cookies
    .split('; ')
    .filter((pair) => !pair.startsWith('__latchkey_'))
    .join('; ');
}

function matches(path: string, of: string): boolean {
  return path === of || (path.startsWith(of) && (of.endsWith('/') || path[of.length] === '/'));
}
