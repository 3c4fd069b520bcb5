/**
 * Sec-Fetch-Site of a request, which the browser writes below the service worker, out of its sight. The gateway's
 * cookie jar obeys SameSite by it, so a navigation that somebody else began must not pass for the app's own. Every app
 * counts as a site of its own: that its siblings share a registrable domain is our doing, not theirs.
 */
import type { Initiated } from '../app-messages.ts';

/** As much of a request as tells. */
export interface RequestOrigin {
  readonly url: string;
  readonly mode: string;
  readonly method: string;
  /** The Origin header; Chromium shows it on navigations that are no GET. `null` is what a no-referrer page sends. */
  readonly origin: string | null;
  /** What the initiator's referrer policy left of it. */
  readonly referrer: string;
  /** The page is loaded anew: nobody of another origin can have a page do that, but a person can, wherever it came from. */
  readonly isReload: boolean;
}

/** Of a FetchEvent. */
export interface Asking {
  readonly request: RequestOrigin;
  /** Of a navigation, the page that the window shows now; '' for none that a service worker knows. */
  readonly clientId: string;
  /** The page that is to be shown: one for a navigation and all redirects of it within the origin. */
  readonly resultingClientId: string;
}

export type Site = 'same-origin' | 'cross-site' | 'none';

/**
 * Asks a page which navigation of its window it knows of, and takes that out of its memory.
 * @param client maybe ''.
 * @returns undefined where the client is no page of the app.
 */
export type AskPage = (client: string) => Promise<Initiated | 'nothing' | undefined>;

/** Navigations are over soon; of more than these the oldest are forgotten. */
const maxNavigations = 256;

export class Sites {
  readonly #own: string;
  readonly #shell: string;
  readonly #ask: AskPage;
  /** By the page that they will show. */
  readonly #navigations = new Map<string, Site>();

  /**
   * @param own the app's origin.
   * @param shell the shell's, which opens the app.
   */
  constructor(own: string, shell: string, ask: AskPage) {
    this.#own = own;
    this.#shell = shell;
    this.#ask = ask;
  }

  async of({ request, clientId, resultingClientId }: Asking): Promise<Site> {
    // Only pages of this origin are controlled by its service worker; a navigation alone can be begun by others.
    if (request.mode !== 'navigate') return 'same-origin';
    // Where the service redirected it: whoever began it, did so before.
    const begun = this.#navigations.get(resultingClientId);
    if (begun !== undefined) return begun;
    // Also of one that says it itself, so that the page does not answer with it for another's.
    const asked = this.#ask(clientId);
    // What is known already waits for no page: one without a shim takes its time to say nothing.
    const known = this.#said(request) ?? this.#again(request, clientId);
    const site = known ?? (isOwn(request, await asked) ? 'same-origin' : 'cross-site');
    this.#remember(resultingClientId, site);
    return site;
  }

  /** What the request says itself, and nobody can make it say. */
  #said({ origin, referrer }: RequestOrigin): Site | undefined {
    if (origin !== null && origin !== 'null') return origin === this.#own ? 'same-origin' : 'cross-site';
    if (referrer === '') return undefined;
    const from = new URL(referrer).origin;
    // The shell opened it, in its frame or in a window that a person asked it for: as if the address had been typed.
    if (from === this.#shell) return 'none';
    return from === this.#own ? 'same-origin' : 'cross-site';
  }

  /** What is loaded anew is whose it was (RFC 6265bis section 8.8.5), as long as that is remembered. */
  #again({ isReload }: RequestOrigin, shown: string): Site | undefined {
    return isReload ? this.#navigations.get(shown) : undefined;
  }

  #remember(client: string, site: Site): void {
    if (client !== '') this.#navigations.set(client, site);
    for (const oldest of this.#navigations.keys())
      if (this.#navigations.size > maxNavigations) this.#navigations.delete(oldest);
  }
}

/**
 * Nothing was said of who began it, as of a page without referrer. The page that is there knows of each navigation to another
 * document that its own origin began, and of no other. So a person who types an address counts as anyone does who has the window's name.
 */
function isOwn({ url, method, isReload }: RequestOrigin, page: Awaited<ReturnType<AskPage>>): boolean {
  const isForm = method !== 'GET' && method !== 'HEAD';
  if (page === undefined) return false;
  if (isReload && !isForm) return true;
  // A form that is sent again by going back in the history has none: whose it was is forgotten.
  return page !== 'nothing' && page.isForm === isForm && withoutFragment(page.url) === withoutFragment(url);
}

const withoutFragment = (url: string): string => url.replace(/#.*$/s, '');
