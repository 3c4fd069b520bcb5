/**
 * Sec-Fetch-Site of a request, which the browser writes below the service worker, out of its sight. The gateway's
 * cookie jar obeys SameSite by it, so a navigation that somebody else began must not pass for the app's own. Every app
 * counts as a site of its own: that its siblings share a registrable domain is our doing, not theirs.
 */

/** As much of a request as tells. */
export interface RequestOrigin {
  readonly mode: string;
  /** Where the answer goes: `document` is a tab of its own, `iframe` a frame. */
  readonly destination: string;
  readonly method: string;
  /** The Origin header; Chromium shows it on navigations that are no GET. `null` is what a no-referrer page sends. */
  readonly origin: string | null;
  /** What the beginner's referrer policy left of it. */
  readonly referrer: string;
}

export type Site = 'same-origin' | 'cross-site' | 'none';

/**
 * @param own the app's origin.
 * @param shell the shell's, whose frame the app is opened in.
 * @param replacesOwn the frame that navigates shows a page of the app now.
 */
export function siteOf(request: RequestOrigin, own: string, shell: string, replacesOwn: boolean): Site {
  // Only pages of this origin are controlled by its service worker; a navigation alone can be begun by others.
  if (request.mode !== 'navigate') return 'same-origin';
  if (request.origin !== null && request.origin !== 'null')
    return request.origin === own ? 'same-origin' : 'cross-site';
  if (request.referrer !== '') {
    const from = new URL(request.referrer).origin;
    // The shell opened the frame: as if the address had been typed.
    if (from === shell && request.destination === 'iframe') return 'none';
    return from === own ? 'same-origin' : 'cross-site';
  }
  // Nothing was said of who began it. A person who types an address comes without a page; so does a link that hides it.
  if (request.method === 'GET' || request.method === 'HEAD') return replacesOwn ? 'same-origin' : 'cross-site';
  // A form of a page without referrer. In a tab anyone who has its name can send one; into the shell's frame, which
  // shows the app already, only the app can.
  return request.destination === 'iframe' && replacesOwn ? 'same-origin' : 'cross-site';
}
