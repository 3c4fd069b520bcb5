/**
 * Synchronous XMLHttpRequests of a window, to the app's own origin. Chromium sends them past the service worker to the
 * network, where nothing of the service is; so the helper frame of the tab answers them (synchronous-answers.ts). Where a
 * window has none, they fail as on a dead network, without reaching it. Those of a worker pass the service worker.
 */
import { apply, isOwn, isWindow, resolve } from './realm.ts';

type Page = Window & typeof globalThis;

/** The window of a helper frame. */
export interface Helper extends Window {
  /**
   * Puts in place what answers the synchronous requests of a page of its origin and tab; or, of a page that shows a blank
   * one, what brings the files of that.
   */
  latchkey?: (page: Page, blank?: Page) => void;
}

/** What the helper frame of this tab does for its pages. */
export const helped = isWindow ? (helperIn(top) ?? helperIn(opener?.top)) : undefined;

export function routeSynchronousRequests(): void {
  if (helped) helped(window);
  else refuse(XMLHttpRequest);
}

function refuse({ prototype }: typeof XMLHttpRequest): void {
  prototype.open = new Proxy(prototype.open, {
    // No blob has that address: nothing leaves, and it fails.
    apply: (native, self, given) => apply(native, self, isSynchronous(given) ? [given[0], 'blob:', false] : given),
  });
}

function helperIn(tree: Window | null | undefined): Helper['latchkey'] {
  for (let at = 0; tree && at < tree.length; at += 1)
    try {
      const { latchkey } = tree[at] as Helper;
      if (latchkey) return latchkey;
    } catch {
      // Of another origin.
    }
  return undefined;
}

function isSynchronous(given: ArrayLike<unknown>): boolean {
  return given.length > 2 && !given[2] && isOwn(resolve(given[1])?.href);
}
