/**
 * A page that sends no referrer, in Firefox: it tells a service worker neither the Origin of a navigation nor the page
 * that it replaces, so that nothing says who began it (site.ts). There such a page sends its referrer to its own origin, and,
 * as before, nothing to any other. Chromium's pages can be asked.
 */

import { isChromium } from '../engine.ts';

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

/** @param headers of a page, changed in place. */
export function referToSelf(headers: Headers): void {
  const said = headers.get('referrer-policy')?.toLowerCase().split(',') ?? [];
  // Of several the last that the browser knows counts (Referrer Policy section 8.1).
  const policy = said.map((one) => one.trim()).findLast((one) => policies.has(one));
  if (!isChromium && policy === 'no-referrer') headers.set('referrer-policy', 'same-origin');
}
