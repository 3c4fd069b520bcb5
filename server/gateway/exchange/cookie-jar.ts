/**
 * The cookies of one person, on one device, for one service (RFC 6265bis). HttpOnly cookies stay in here for good; the
 * others are mirrored into the browser, whose own view of them then counts, because script may change and delete them.
 * One service is one host, so every cookie is host-only and one service cannot toss cookies at another.
 * Keeping it on disk is jar-store.ts's part.
 */
import { type Cookie, CookieJar } from 'tough-cookie';
import type { FetchSite } from './context.ts';
import { mirrorLine, removalLine } from './cookie-mirror.ts';
import { readSetCookie } from './set-cookie.ts';

/** The request a cookie is asked for, or came with. */
export interface CookieRequest {
  readonly method: string;
  readonly target: string;
  readonly site: FetchSite;
  readonly mode: string | undefined;
  /** Cookies as script sees them; undefined when the client has no view of its own. */
  readonly scriptCookies: string | undefined;
}

/** What Chromium allows one site; a service that sets more loses its oldest. */
export const maxCookies = 180;
/** RFC 6265bis section 5.6.7.2: how long a cookie that says nothing of SameSite goes with a form of another site. */
const laxUnsafeMs = 120_000;

// The jar's own address. Its host is never seen by anyone; https, because what leads to the service is encrypted.
const origin = 'https://service.invalid';

export class ServiceJar {
  #jar: CookieJar;
  /** Counts changes, so that the store knows whether there is something to write. */
  #version = 0;

  /** @param saved what {@link ServiceJar.save} returned. */
  constructor(saved?: string) {
    this.#jar = saved === undefined ? emptyJar() : CookieJar.deserializeSync(saved);
  }

  get version(): number {
    return this.#version;
  }

  save(): string {
    return JSON.stringify(this.#jar.serializeSync());
  }

  /** The Cookie header of a request, empty for none: our HttpOnly cookies, then what script can see. */
  header(request: CookieRequest): string {
    const stored = this.#matching(request);
    const hidden = stored.filter((cookie) => cookie.httpOnly);
    // Script cannot write over an HttpOnly cookie (RFC 6265bis section 5.7), so a pair of that name is not the app's.
    const names = new Set(hidden.map((cookie) => cookie.key));
    const mayGo = this.#visibleThatGo(stored, request);
    const visible =
      request.scriptCookies === undefined
        ? stored.filter((cookie) => !cookie.httpOnly).map((cookie) => cookie.cookieString())
        : parsePairs(request.scriptCookies)
            .filter(([name]) => !names.has(name) && mayGo(name))
            .map(([name, value]) => `${name}=${value}`);
    return [...hidden.map((cookie) => cookie.cookieString()), ...visible].join('; ');
  }

  /**
   * SameSite of the cookies that script sees, by their names. What it wrote itself tells nobody its attributes, and counts as one that
   * says nothing, which is Lax.
   */
  #visibleThatGo(stored: readonly Cookie[], request: CookieRequest): (name: string) => boolean {
    const context = sameSite(request);
    if (context === 'strict') return () => true;
    const going = new Set(stored.map(({ key }) => key));
    if (context === 'none') return (name) => going.has(name);
    const known = new Set(this.#jar.getCookiesSync(addressOf(request)).map(({ key }) => key));
    return (name) => going.has(name) || !known.has(name);
  }

  /**
   * Takes the Set-Cookie lines of a response.
   * @param ownHosts names the service may write into Domain: they mean itself.
   * @returns lines to mirror into the browser; never one of an HttpOnly cookie.
   */
  store(lines: readonly string[], request: CookieRequest, ownHosts: readonly string[]): string[] {
    return lines.flatMap((line) => this.#storeOne(line, request, ownHosts));
  }

  /** Forgets everything. @returns lines that remove what the browser holds. */
  clear(request: CookieRequest): string[] {
    const kept = this.#all().filter((cookie) => !cookie.httpOnly);
    const removals = kept.map((cookie) => removalLine(cookie.key, cookie.path ?? '/'));
    const unknown = parsePairs(request.scriptCookies ?? '').filter(([name]) => !kept.some(({ key }) => key === name));
    this.#jar = emptyJar();
    this.#version += 1;
    return [...removals, ...unknown.map(([name]) => removalLine(name, '/'))];
  }

  #storeOne(line: string, request: CookieRequest, ownHosts: readonly string[]): string[] {
    const cookie = readSetCookie(line, ownHosts);
    if (cookie === undefined) return [];
    const before = new Set(
      this.#all()
        .filter((old) => old.key === cookie.key && !old.httpOnly)
        .map((old) => old.path),
    );
    const stored = this.#set(cookie, request);
    if (stored === undefined) return [];
    this.#version += 1;
    this.#evict();
    const path = stored.path ?? '/';
    if (!stored.httpOnly) return [mirrorLine(stored)];
    // It was visible to script and no longer is: the browser's copy would be a lie.
    return before.has(path) ? [removalLine(stored.key, path)] : [];
  }

  #set(cookie: Cookie, request: CookieRequest): Cookie | undefined {
    try {
      // A page that is shown may set what it likes, whoever led there (RFC 6265bis section 5.7, step 18).
      const sameSiteContext = request.mode === 'navigate' ? 'strict' : sameSite(request);
      return this.#jar.setCookieSync(cookie, addressOf(request), { sameSiteContext });
    } catch {
      return undefined; // a cookie that breaks the rules is dropped in silence, as a browser does
    }
  }

  #matching(request: CookieRequest): Cookie[] {
    const sameSiteContext = sameSite(request);
    const found = this.#jar.getCookiesSync(addressOf(request), { sameSiteContext, sort: true });
    return sameSiteContext === 'none' ? found.filter((cookie) => crossesSites(cookie, request)) : found;
  }

  #all(): Cookie[] {
    return this.#jar.getCookiesSync(`${origin}/`, { allPaths: true });
  }

  #evict(): void {
    const all = this.#all();
    if (all.length <= maxCookies) return;
    const oldest = all.sort((a, b) => lastUse(a) - lastUse(b));
    for (const cookie of oldest.slice(0, all.length - maxCookies))
      this.#jar.store.removeCookie(cookie.domain, cookie.path, cookie.key, () => undefined);
  }
}

/** The library undoes one percent-encoding, and paths are compared as they were written (RFC 6265bis section 5.1.4). */
const addressOf = (request: CookieRequest): string => origin + request.target.replaceAll('%', '%25');

function emptyJar(): CookieJar {
  return new CookieJar(undefined, { looseMode: true, rejectPublicSuffixes: false, prefixSecurity: 'strict' });
}

const lastUse = (cookie: Cookie): number => (cookie.lastAccessed instanceof Date ? cookie.lastAccessed.getTime() : 0);

/** RFC 6265bis section 5.2: strict from the same site, lax for a navigation by a safe method, else none. */
function sameSite(request: CookieRequest): 'strict' | 'lax' | 'none' {
  if (request.site !== 'cross-site') return 'strict';
  const safe = request.method === 'GET' || request.method === 'HEAD';
  return safe && request.mode === 'navigate' ? 'lax' : 'none';
}

/** One that says nothing of SameSite is Lax, but for a sign-in that posts its answer back within two minutes. */
function crossesSites(cookie: Cookie, request: CookieRequest): boolean {
  if (cookie.sameSite !== undefined) return true;
  const age = cookie.creation instanceof Date ? Date.now() - cookie.creation.getTime() : laxUnsafeMs;
  return request.mode === 'navigate' && age < laxUnsafeMs;
}

function parsePairs(text: string): [name: string, value: string][] {
  return text.split(';').flatMap((pair): [string, string][] => {
    const at = pair.indexOf('=');
    const name = pair.slice(0, Math.max(at, 0)).trim();
    const value = pair.slice(at + 1).trim();
    return name === '' && value === '' ? [] : [[name, value]];
  });
}
