/**
 * A page that sends no referrer because a `meta` in it says so, in Firefox: what sw/referrer-policy.ts is to a page whose head
 * says it. Of two such elements the later counts, also when it is gone again (HTML, "Standard metadata names", referrer), so
 * the page's own stays as it is.
 */

import { isChromium } from '../engine.ts';

export function referToSelf(meta: HTMLMetaElement): void {
  // `never` is an older name of it.
  if (isChromium || !/^referrer$/i.test(meta.name) || !/^\s*(no-referrer|never)\s*$/i.test(meta.content)) return;
  const own = meta.cloneNode() as HTMLMetaElement;
  own.content = 'same-origin';
  meta.after(own);
  own.remove();
}
