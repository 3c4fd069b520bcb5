/**
 * A page that sends no referrer: nothing says then who began a navigation of a frame or window that showed no page before
 * (site.ts), and in Firefox of any other either. So such a page sends its referrer to its own origin, and, as before, nothing
 * to any other. The service hears of it only with what no page is named for, which is a new window's or frame's page and in
 * Firefox each, and once a browser has stopped the service worker, which then remembers none.
 */

const policies: ReadonlySet<string> = new Set([
  'no-referrer',
  'no-referrer-when-downgrade',
  'origin',
  'origin-when-cross-origin',
  'same-origin',
  'strict-origin',
  'strict-origin-when-cross-origin',
  'unsafe-url',
]);

/** Pages that would send none. Of more than these the oldest are forgotten, and all when a browser stops us. */
const hiding = new Set<string>();
const maxHiding = 256;

/**
 * @param headers of a page, changed in place.
 * @param client that will show it.
 */
export function referToSelf(headers: Headers, client: string): void {
  const said = headers.get('referrer-policy')?.toLowerCase().split(',') ?? [];
  // Of several the last that the browser knows counts (Referrer Policy section 8.1).
  const policy = said.map((one) => one.trim()).findLast((one) => policies.has(one));
  if (policy !== 'no-referrer') return;
  headers.set('referrer-policy', 'same-origin');
  if (client !== '') hiding.add(client);
  for (const oldest of hiding) if (hiding.size > maxHiding) hiding.delete(oldest);
}

/**
 * By its page's word; a stylesheet of it may have another.
 * @param client that asks.
 */
export function hidesReferrer({ referrerPolicy }: Request, client: string): boolean {
  return referrerPolicy === 'same-origin' && hiding.has(client);
}
