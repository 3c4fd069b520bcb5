/**
 * Files of a page that a script writes into a blank frame or window. Chromium's service worker does not see what such a page loads: the
 * answer is that of this origin's server, which has nothing, and so an error. Then the file is fetched by the page around
 * and given to the element, before anybody hears of the error. What the page's policy forbade stays forbidden.
 *
 * A stylesheet's address changes by that. An image's does not, since an editor would save it: it is shown by a style.
 */
import type { Page } from './page-requests.ts';
import { withFiles } from './stylesheet-files.ts';

/** The attribute that names a file, of the kinds of elements that get theirs. They may be made in any window: no `instanceof`. */
const attributes: Readonly<Record<string, string>> = { link: 'href', script: 'src', img: 'src' };
type Named = HTMLLinkElement | HTMLScriptElement | HTMLImageElement;

const isLink = (element: Named): element is HTMLLinkElement => element.localName === 'link';
const isScript = (element: Named): element is HTMLScriptElement => element.localName === 'script';

/** Of this origin's; undefined for what is none of ours to bring, a module among it, whose imports would not come. */
function addressOf(element: Named): string | undefined {
  const address = element.getAttribute(attributes[element.localName] ?? '');
  const url = address === null ? null : URL.parse(address, element.baseURI);
  if (isLink(element) && !element.relList.contains('stylesheet')) return undefined;
  if (isScript(element) && element.type === 'module') return undefined;
  return url?.origin === origin && url.protocol !== 'blob:' ? url.href : undefined;
}

/** What this origin's server says of whatever is not its own (RFC 9110 section 15.5.20); a stylesheet of that has none. */
const inVain: readonly (number | undefined)[] = [421, 0];

function lastStatus({ performance }: Page, address: string): number | undefined {
  return (performance.getEntriesByName(address).at(-1) as PerformanceResourceTiming | undefined)?.responseStatus;
}

/** The same for a window that the page opens to write into. */
export function bringFilesToPopups(page: Page): void {
  page.open = new page.Proxy(page.open, {
    apply(native, self, given) {
      const popup = Reflect.apply(native, self, given) as Page | null;
      if (popup !== null && isBlank(popup)) bringFiles(page, popup);
      return popup;
    },
  });
}

/** Also for the moment in which another page is on its way. That has a document of its own. */
function isBlank({ location }: Page): boolean {
  try {
    return location.href === 'about:blank';
  } catch {
    // Of another origin.
    return false;
  }
}

/** @param page whose frame shows the blank one. */
export function bringFiles(page: Page, blank: Page): void {
  const forbidden = new WeakSet<EventTarget>();
  const tried = new WeakMap<EventTarget, string>();
  const fetchFile = async (address: string): Promise<Response> => {
    const answer = await page.fetch(address);
    if (!answer.ok) throw new Error(`${answer.status}`);
    return answer;
  };
  const onViolation = ({ target }: Event) => target !== null && forbidden.add(target);
  /** @param wasAsked whether it has to have asked for its file. @returns whether it will get it. */
  const take = (element: Named, wasAsked: boolean): boolean => {
    const address = addressOf(element);
    if (address === undefined || forbidden.has(element) || tried.get(element) === address) return false;
    const status = lastStatus(blank, address);
    if (!inVain.includes(status) && (wasAsked || status !== undefined)) return false;
    tried.set(element, address);
    bring(element, address).catch(() => element.dispatchEvent(new blank.Event('error')));
    return true;
  };
  const onError = (event: Event) => {
    if (event.isTrusted && take(event.target as Named, false)) event.stopImmediatePropagation();
  };
  const make = (parts: BlobPart[], type: string) => blank.URL.createObjectURL(new blank.Blob(parts, { type }));
  const bring = async (element: Named, address: string): Promise<void> => {
    const say = () => element.dispatchEvent(new blank.Event('load'));
    if (isLink(element)) {
      element.href = make([await withFiles(address, fetchFile, make)], 'text/css');
      return;
    }
    const file = await (await fetchFile(address)).blob();
    const url = make([file], file.type);
    if (isScript(element)) return run(element, url, say);
    // Not before it can be drawn: whoever hears that it is there measures it.
    const shown = Object.assign(new blank.Image(), { src: url });
    await shown.decode();
    const sheet = new blank.CSSStyleSheet();
    sheet.replaceSync(`img[src=${CSS.escape(element.getAttribute('src') ?? '')}] { content: url(${url}) }`);
    blank.document.adoptedStyleSheets.push(sheet);
    say();
  };
  // A page that is written anew (`document.open`) loses its listeners, and keeps its observers.
  const listen = () => {
    blank.document.addEventListener('securitypolicyviolation', onViolation, true);
    blank.document.addEventListener('error', onError, true);
  };
  new MutationObserver(listen).observe(blank.document, { childList: true, subtree: true });
  listen();
  // A page of a blob is there with all that it names before anybody can look at it.
  for (const element of blank.document.querySelectorAll<Named>('link, script, img')) take(element, true);
}

/** By an element that is there as long as it takes; its own would not run a second time. */
function run(element: HTMLScriptElement, url: string, say: () => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const script = element.ownerDocument.createElement('script');
  const { type, nonce = '', integrity } = element;
  Object.assign(script, { type, nonce, integrity, src: url, onload: resolve, onerror: reject });
  element.ownerDocument.documentElement.append(script);
  return promise.then(say).finally(() => script.remove());
}
