/**
 * A page that sends no referrer because a `meta` in it says so, in Firefox: what sw/referrer-policy.ts is to a page whose head
 * says it, but that the service hears of it: nothing tells the service worker which page says so. Of two such elements the
 * later counts, also when it is gone again (HTML, "Standard metadata names", referrer), so the page's own stays as it is.
 */

import { isChromium } from '../engine.ts';

export function referToSelf(meta: HTMLMetaElement): void {
  const all = meta.ownerDocument.querySelectorAll('meta[name=referrer i]');
  // `never` is an older name of it.
  if (isChromium || meta !== all[all.length - 1] || !/^\s*(no-referrer|never)\s*$/i.test(meta.content)) return;
  const own = meta.cloneNode() as HTMLMetaElement;
  own.content = 'same-origin';
  meta.after(own);
  own.remove();
}
