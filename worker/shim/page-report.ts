/**
 * Tells the shell what the tab should look like: the page's title, its icon and where it is. Only the page that fills
 * the shell's frame does, which finds no page around it; what it says goes to the shell's exact origin.
 */
import type { AppPage, ToShell } from '../app-messages.ts';
import { siblingOrigin } from '../origins.ts';

export function reportPage(): void {
  if (frameElement || parent === window || parent !== top) return;
  // The shell is nothing of the app's: a page that reaches for its parent, as one of frames does, means its own.
  (window as { parent: Window }).parent = window;
  const shell = siblingOrigin(location, 'shell');
  let last = '';
  let planned: unknown;
  const report = (): void => {
    planned = undefined;
    const page: AppPage = { title: document.title, path: here(), icon: iconOf(document) };
    const said = JSON.stringify(page);
    if (said === last) return;
    last = said;
    top?.postMessage({ latchkey: 'page', ...page } satisfies ToShell, shell);
  };
  // A page that changes much at once says so once.
  const plan = (): void => {
    if (planned) return;
    planned = setTimeout(report);
  };
  const watch = { childList: true, characterData: true, subtree: true, attributeFilter: ['href', 'rel'] };
  if (document.head) new MutationObserver(plan).observe(document.head, watch);
  // After `load` comes `pageshow`.
  for (const moment of ['DOMContentLoaded', 'pageshow', 'hashchange', 'popstate']) addEventListener(moment, plan);
  // History's own methods fire nothing; the Navigation API tells of them, where there is one.
  (window as { navigation?: EventTarget }).navigation?.addEventListener('currententrychange', plan);
}

function here(): string {
  return location.href.slice(origin.length);
}

/** Where a browser would look for it (HTML, "Link type icon"), when that is on this origin. */
function iconOf({ baseURI, head }: Document): string {
  const links = head?.querySelectorAll<HTMLLinkElement>('link[rel~=icon i][href]') ?? [];
  for (const link of links) {
    const url = URL.parse(link.getAttribute('href') as string, baseURI);
    if (url?.origin === location.origin) return url.pathname + url.search;
  }
  return '/favicon.ico';
}
