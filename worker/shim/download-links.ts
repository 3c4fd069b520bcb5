/**
 * Links with `download`: Chromium sends them past the service worker to the network, where nothing is. A click on one is
 * turned into a navigation of a hidden frame, which does come to the service worker; it streams the service's answer
 * and gives it the name the link asked for.
 */
import { downloadPath } from '../app-messages.ts';

/** Frames are kept until the page goes: nothing tells a page when a download has ended. */
export function routeDownloadLinks(page: Document): void {
  page.addEventListener('click', (event) => {
    const link = downloadLink(event);
    if (!link || event.defaultPrevented) return;
    event.preventDefault();
    save(page, link);
  });
}

function downloadLink(event: Event): HTMLAnchorElement | undefined {
  const [target] = event.composedPath();
  const link = target instanceof Element ? target.closest<HTMLAnchorElement>('a[download][href]') : null;
  // blob: and data: links are the browser's own, and other origins ignore `download`.
  return link?.origin === location.origin && /^https?:$/.test(link.protocol) ? link : undefined;
}

function save(page: Document, link: HTMLAnchorElement): void {
  const frame = page.createElement('iframe');
  frame.hidden = true;
  // The service worker is to see who asks, also of a page that sends no referrer; the service does not.
  frame.referrerPolicy = 'same-origin';
  const query = new URLSearchParams({ target: link.pathname + link.search, name: link.download });
  frame.src = `${downloadPath}?${query}`;
  page.documentElement.append(frame);
}
