/**
 * Files of a page that a script writes into a blank frame or window. Chromium's service worker does not see what such a page loads: the
 * answer is that of this origin's server, which has nothing, and so an error. Then the file is fetched by the page around
 * and given to the element, before anybody hears of the error.
 *
 * That answer is the proof that the page's own policy lets it ask: what a policy forbids is not sent. Without it nothing is fetched.
 *
 * A stylesheet's address changes by that. An image's does not, since an editor would save it: it is shown by a style.
 */
import type { Page } from './page-requests.ts';
import { addEventListener, isOwn } from './realm.ts';
import { stylesheet, withFiles } from './stylesheet-files.ts';

/** The attribute that names a file, of the kinds of elements that get theirs. They may be made in any window: no `instanceof`. */
const attributes: Readonly<Record<string, string>> = { link: 'href', script: 'src', img: 'src' };
type Named = HTMLLinkElement | HTMLScriptElement | HTMLImageElement;

const isLink = (element: Named): element is HTMLLinkElement => element.localName === 'link';
const isScript = (element: Named): element is HTMLScriptElement => element.localName === 'script';

/** HTML, "JavaScript MIME type". */
const javascript = /^(?:text|application)\/(?:x-)?(?:java|ecma)script(?:;|$)/;

/** Of this origin's; undefined for what is none of ours to bring. */
function addressOf(element: Named): string | undefined {
  const address = element.getAttribute(attributes[element.localName] ?? '');
  const url = address === null ? null : URL.parse(address, element.baseURI);
  if (isLink(element) && !element.relList?.contains('stylesheet')) return undefined;
  if (isScript(element) && !isBringable(element)) return undefined;
  return isOwn(url?.href) ? url?.href : undefined;
}

/**
 * No module, whose imports would not come; and of classic scripts only what a script made, which alone is `async` without the
 * attribute: what is given to it is of that kind too, which `'strict-dynamic'` trusts, as it does not trust what stands in the page.
 */
function isBringable(script: HTMLScriptElement): boolean {
  return script.type !== 'module' && script.async && !script.hasAttribute('async');
}

/** Whether that was asked for last in vain: what this origin's server says of whatever is not its own (RFC 9110 section 15.5.20). */
function wentPast({ performance }: Page, kind: string, address: string): boolean {
  // Chromium's images are asked for without the fragment.
  const names = new Set([address, address.replace(/#.*/, '')]);
  const entries = [...names].flatMap((name) => performance.getEntriesByName(name)) as PerformanceResourceTiming[];
  return entries.findLast(({ initiatorType }) => initiatorType === kind)?.responseStatus === 421;
}

/** The same for a window that the page opens to write into. */
export function bringFilesToPopups(page: Page): void {
  page.open = new page.Proxy(page.open, {
    apply(native, self, given) {
      const popup = Reflect.apply(native, self, given) as Page | null;
      try {
        if (popup !== null && isBlank(popup)) bringFiles(page, popup);
      } catch {
        // What fails in it is not the app's.
      }
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

/** Whose files are brought: the same window is opened more than once. */
const equipped = new WeakSet<Document>();

/** @param page whose frame shows the blank one. */
export function bringFiles(page: Page, blank: Page): void {
  if (equipped.has(blank.document)) return;
  equipped.add(blank.document);
  /** Elements whose file, of this address, is on its way. */
  const brought = new WeakMap<Element, string>();
  const make = (file: Blob) => blank.URL.createObjectURL(file);
  const fetchFile = async (address: string, type = /^/): Promise<Blob> => {
    // Where it would be led is for the page's policy to say, which is not asked.
    const answer = await page.fetch(address, { redirect: 'error' });
    const file = await answer.blob();
    if (!answer.ok || !type.test(file.type)) throw new Error(`${answer.status} ${file.type}`);
    return file;
  };
  /** What a stylesheet names, where the page may ask for it: that is tried, of a stylesheet as one, of all else as an image. */
  const fetchNamed = async (address: string, type?: RegExp): Promise<Blob> => {
    await (type === undefined ? decode(blank, address) : preloadSheet(blank.document, address)).catch(() => undefined);
    if (!wentPast(blank, type === undefined ? 'img' : 'link', address)) throw new Error('not in vain');
    return fetchFile(address, type);
  };
  const show = pictures(blank);
  const bring = async (element: Named, address: string): Promise<void> => {
    const isStill = () => addressOf(element) === address;
    if (isLink(element)) {
      const sheet = await fetchFile(address, stylesheet);
      const url = make(await withFiles(sheet, address, { fetchFile: fetchNamed, make }));
      if (isStill()) element.href = url;
      return;
    }
    const url = make(await fetchFile(address, isScript(element) ? javascript : undefined));
    if (isScript(element)) await run(element, url);
    else {
      // Not before it can be drawn: whoever hears that it is there measures it.
      await decode(blank, url);
      if (!isStill()) return blank.URL.revokeObjectURL(url);
      show(element, url);
    }
    element.dispatchEvent(new blank.Event('load'));
  };
  /** @returns whether it will get its file. */
  const take = (element: Named): boolean => {
    const address = addressOf(element);
    if (address === undefined) return false;
    if (brought.get(element) === address) return true;
    if (!wentPast(blank, element.localName, address)) return false;
    brought.set(element, address);
    bring(element, address)
      // Of an address that it has no more nobody hears.
      .catch(() => brought.get(element) === address && element.dispatchEvent(new blank.Event('error')))
      .finally(() => brought.get(element) === address && brought.delete(element));
    return true;
  };
  const onError = (event: Event) => {
    if (event.isTrusted && take(event.target as Named)) event.stopImmediatePropagation();
  };
  // A page that is written anew (`document.open`) loses its listeners, and keeps its observers.
  const listen = () => addEventListener.call(blank.document, 'error', onError, true);
  new MutationObserver(listen).observe(blank.document, { childList: true, subtree: true });
  listen();
  // A page of a blob is there with all that it names before anybody can look at it.
  for (const element of blank.document.querySelectorAll<Named>('link, script, img')) take(element);
}

const decode = (page: Page, src: string): Promise<void> => Object.assign(new page.Image(), { src }).decode();

/** As a stylesheet that imports another asks for it: without a nonce. Settles when it was asked for, or may not be. */
function preloadSheet(page: Document, href: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const link = page.createElement('link');
  Object.assign(link, { rel: 'preload', as: 'style', href, onload: resolve, onerror: resolve });
  page.documentElement.append(link);
  return promise.finally(() => link.remove());
}

/** @returns what shows a picture in place of an image's own, by a rule for each image. */
function pictures(page: Page): (image: HTMLImageElement, url: string) => void {
  const sheet = new page.CSSStyleSheet();
  const shown = new WeakMap<HTMLImageElement, { readonly rule: CSSRule; readonly url: string }>();
  return (image, url) => {
    const last = shown.get(image);
    if (last !== undefined) {
      sheet.deleteRule([...sheet.cssRules].indexOf(last.rule));
      page.URL.revokeObjectURL(last.url);
    }
    sheet.insertRule(`img[src=${CSS.escape(image.getAttribute('src') ?? '')}] { content: url(${url}) }`);
    shown.set(image, { rule: sheet.cssRules[0] as CSSRule, url });
    // The app may have put its own in their place.
    const { adoptedStyleSheets } = page.document;
    if (!adoptedStyleSheets.includes(sheet)) adoptedStyleSheets.push(sheet);
  };
}

/** By an element that is there as long as it takes; its own would not run a second time. */
function run(element: HTMLScriptElement, url: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const script = element.ownerDocument.createElement('script');
  const { type, nonce = '', integrity } = element;
  Object.assign(script, { type, nonce, integrity, src: url, onload: resolve, onerror: reject });
  element.ownerDocument.documentElement.append(script);
  return promise.finally(() => script.remove());
}
