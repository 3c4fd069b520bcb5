/**
 * Links with `download`: Chromium sends them past the service worker to the network, where nothing is. A click on one is
 * turned into a navigation of a hidden frame, which does come to the service worker; it streams the service's answer
 * and gives it the name the link asked for.
 */
import { downloadPath } from '../app-messages.ts';
import { isOwn } from './realm.ts';

/** Frames are kept until the page goes: nothing tells a page when a download has ended. */
export function routeDownload(event: Event): void {
  const link = downloadLink(event);
  if (!link || event.defaultPrevented) return;
  event.preventDefault();
  save(link);
}

function downloadLink(event: Event): HTMLAnchorElement | undefined {
  // Of a text, or of a window that is no element here, and so has no `closest`.
  const [target] = event.composedPath() as Partial<Element>[];
  const link = target?.closest?.('a[download][href]') as HTMLAnchorElement | null | undefined;
  // blob: and data: links are the browser's own, and other origins ignore `download`.
  return link && isOwn(link.href) ? link : undefined;
}

function save(link: HTMLAnchorElement): void {
  const page = link.ownerDocument;
  const frame = page.createElement('iframe');
  frame.hidden = true;
  // The service worker is to see who asks, also of a page that sends no referrer; the service does not.
  frame.referrerPolicy = 'same-origin';
  const query = new URLSearchParams({ target: link.pathname + link.search, name: link.download });
  frame.src = `${downloadPath}?${query}`;
  page.documentElement.append(frame);
}
