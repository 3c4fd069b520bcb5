/**
 * Synchronous requests of the windows of this tab, in the helper frame.
 *
 * Chromium keeps them from the service worker. A page that waits has stopped this frame's thread too, so a Worker asks in
 * its place (courier.ts). What it brings it leaves under an address of a blob, and has the service worker write that address
 * into a cookie of our own path: the one thing that a thread which waits can be told. No service sees it:
 * the cookie is of our own path and lives for a moment, and what it names can be read by pages of this origin alone.
 *
 * Firefox asks the service worker itself, which could ask no window for cookies meanwhile; so they go with the request.
 */
import {
  arrivalName,
  type Courier,
  cookiesHeader,
  courierPath,
  type Errand,
  ownPaths,
  type Parcel,
  restPath,
} from '../app-messages.ts';
import { isChromium } from '../engine.ts';
import { bringFiles, bringFilesToPopups } from './blank-page-files.ts';
import { writeCookies } from './cookie-windows.ts';
import { isSynchronous, ownAddress, type Page, replace } from './page-requests.ts';
import type { Helper } from './synchronous-requests.ts';

/** What makes the page's own objects. */
type Means = Pick<Page, 'Event' | 'ProgressEvent' | 'DOMParser'>;

/** What a page asked of one object since it was opened. */
interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: [string, string][];
  type?: string;
  /** Takes what was answered from the object again; there once it is. */
  forget?: () => void;
}

/** A page that stands still longer than that is taken for broken. A touch or a password cannot be asked for meanwhile. */
const limitMs = 30_000;
/** A server that is slow to bring the Worker's script keeps no app from opening for longer. */
const courierLimitMs = 2_000;
/** Most answers are there before. */
const restlessMs = 200;

/** Resolves when pages can be answered. @param equip what else the window of a page is given. */
export async function answerSynchronousRequests(equip: (page: Page) => void): Promise<void> {
  const helper: Helper = window;
  const give = (answer: (page: Page) => void) => {
    helper.latchkey = (page, blank) => {
      if (blank) return bringFiles(page, blank);
      bringFilesToPopups(page);
      answer(page);
      equip(page);
    };
  };
  // In Firefox what a page waits for passes the service worker, which cannot ask that page for its cookies meanwhile.
  if (!isChromium) return give(sendCookiesAlong);
  const courier = new Worker(courierPath, { type: 'module' });
  await new Promise<void>((resolve) => {
    const isThere = () => {
      give((page) => answerIn(page, courier));
      resolve();
    };
    courier.addEventListener('message', isThere, { once: true });
    courier.addEventListener('error', () => resolve(), { once: true });
    // The app opens without it, and the synchronous requests of its first page fail at once.
    setTimeout(resolve, courierLimitMs);
  });
}

/** @returns the address of a synchronous request to the app's own origin. */
function waitedFor(page: Page, given: readonly string[]): URL | undefined {
  return isSynchronous(given) ? ownAddress(page, given[1]) : undefined;
}

function sendCookiesAlong(page: Page): void {
  // Before the page's own scripts, which may put others in their places.
  const { setRequestHeader, getResponseHeader } = page.XMLHttpRequest.prototype;
  const own = new WeakSet<XMLHttpRequest>();
  replace(page, 'open', (native, xhr, given) => {
    own.delete(xhr);
    Reflect.apply(native, xhr, given);
    if (waitedFor(page, given) === undefined) return;
    own.add(xhr);
    setRequestHeader.call(xhr, cookiesHeader, encodeURIComponent(page.document.cookie));
  });
  replace(page, 'send', (native, xhr, given) => {
    Reflect.apply(native, xhr, given);
    const told = own.has(xhr) ? getResponseHeader.call(xhr, cookiesHeader) : null;
    if (told !== null) writeCookies(JSON.parse(decodeURIComponent(told)) as string[]);
  });
}

function answerIn(page: Page, courier: Courier): void {
  const requests = new WeakMap<XMLHttpRequest, Asked>();
  // Before the page's own scripts, which may put others in their places.
  const { XMLHttpRequest: PageRequest, DOMException: PageException } = page;
  const { open, send } = PageRequest.prototype;
  const events = { Event: page.Event, ProgressEvent: page.ProgressEvent, DOMParser: page.DOMParser };
  replace(page, 'open', (native, xhr, given) => {
    requests.get(xhr)?.forget?.();
    requests.delete(xhr);
    const url = waitedFor(page, given);
    // Opened for nothing, so that nothing can make it leave.
    Reflect.apply(native, xhr, url === undefined ? given : [given[0], 'data:,', false]);
    if (url !== undefined) requests.set(xhr, { method: String(given[0]), url: url.href, headers: [] });
  });
  replace(page, 'setRequestHeader', (native, xhr, given) => {
    Reflect.apply(native, xhr, given);
    requests.get(xhr)?.headers.push([`${given[0]}`, `${given[1]}`]);
  });
  replace(page, 'overrideMimeType', (native, xhr, given) => {
    Reflect.apply(native, xhr, given);
    const asked = requests.get(xhr);
    if (asked !== undefined) asked.type = `${given[0]}`;
  });
  replace(page, 'send', (native, xhr, given) => {
    const asked = requests.get(xhr);
    if (asked === undefined) return Reflect.apply(native, xhr, given);
    if (asked.forget) throw new PageException('Not opened.', 'InvalidStateError');
    // The page's `connect-src` judges this address of the same host; a page that is refused gets the browser's own error.
    const judged = new PageRequest();
    open.call(judged, 'HEAD', courierPath, false);
    send.call(judged);
    const parcel = window.closed ? null : bring(courier, errandOf(page, asked, given[0]));
    if (parcel === null) throw new PageException('The request failed.', 'NetworkError');
    show(events, xhr, asked, parcel);
  });
}

function errandOf(page: Page, { method, url, headers }: Asked, given: unknown): Errand {
  const hasBody = !/^(?:get|head)$/i.test(method);
  const { body, type } = hasBody ? bodyOf(given) : {};
  const isTyped = type === undefined || headers.some(([name]) => /^content-type$/i.test(name));
  const all = isTyped ? headers : [...headers, ['content-type', type] as [string, string]];
  return { id: crypto.randomUUID(), method, url, headers: all, body, from: page.location.href };
}

/** What a Worker can be told, and is the same to `fetch` (XMLHttpRequest, "send"). By its name: it is of another realm. */
function bodyOf(given: unknown): { body?: Errand['body']; type?: string } {
  if (given == null) return {};
  switch (Object.prototype.toString.call(given)) {
    case '[object FormData]':
      return { body: [...(given as FormData)] };
    case '[object URLSearchParams]':
      return { body: String(given), type: 'application/x-www-form-urlencoded;charset=UTF-8' };
    case '[object HTMLDocument]':
      return { body: new XMLSerializer().serializeToString(given as Node), type: 'text/html;charset=UTF-8' };
    case '[object XMLDocument]':
      return { body: new XMLSerializer().serializeToString(given as Node), type: 'application/xml;charset=UTF-8' };
    case '[object Blob]':
    case '[object File]':
    case '[object ArrayBuffer]':
      return { body: given as Blob };
    default:
      return { body: ArrayBuffer.isView(given) ? (given as Uint8Array<ArrayBuffer>) : String(given) };
  }
}

function bring(courier: Courier, errand: Errand): Parcel | null {
  courier.postMessage(errand);
  const begun = performance.now();
  for (let at = arrived(errand.id); ; at = arrived(errand.id)) {
    const waitedMs = performance.now() - begun;
    if (at !== undefined) return opened(`blob:${origin}/${at}`);
    if (waitedMs > limitMs) return null;
    if (waitedMs > restlessMs) rest();
  }
}

function opened(address: string): Parcel | null {
  const { responseText } = readBlob(address);
  URL.revokeObjectURL(address);
  return JSON.parse(responseText) as Parcel | null;
}

/** @returns the last part of the address of what has come; undefined until then. */
function arrived(id: string): string | undefined {
  const name = arrivalName(id);
  const found = document.cookie.split('; ').find((pair) => pair.startsWith(`${name}=`));
  if (found === undefined) return undefined;
  // biome-ignore lint/suspicious/noDocumentCookie: a thread that waits can read nothing else.
  document.cookie = `${name}=; Path=${ownPaths}; Max-Age=0`;
  return found.slice(name.length + 1);
}

/** A thread that asks without a pause takes a processor from those it waits for. It can sleep on the network alone. */
function rest(): void {
  const file = new XMLHttpRequest();
  file.open('GET', restPath, false);
  try {
    file.send();
  } catch {
    // Its server is away for a moment; the answer may come all the same.
  }
}

function readBlob(address: string, type?: string): XMLHttpRequest {
  const reader = new XMLHttpRequest();
  reader.open('GET', address, false);
  if (type !== undefined) reader.overrideMimeType(type);
  reader.send();
  return reader;
}

/** On the page's own object, until it is opened again. */
function show(
  page: Means,
  xhr: XMLHttpRequest,
  asked: Asked,
  { status, statusText, headers, url, body }: Parcel,
): void {
  const type = asked.type ?? headerOf(headers, 'content-type') ?? undefined;
  const text = readBlob(body, type).responseText;
  URL.revokeObjectURL(body);
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  const answers = {
    ...{ readyState: XMLHttpRequest.DONE, status, statusText, responseURL: url.replace(/#.*/s, '') },
    ...{ response: text, responseText: text, responseXML: documentOf(page, text, type) },
    getResponseHeader: (name: unknown) => headerOf(headers, String(name)),
    getAllResponseHeaders: () => lines.join(''),
  };
  for (const [name, value] of Object.entries(answers)) Object.defineProperty(xhr, name, { value, configurable: true });
  asked.forget = () => {
    for (const name of Object.keys(answers)) Reflect.deleteProperty(xhr, name);
  };
  xhr.dispatchEvent(new page.Event('readystatechange'));
  for (const type of ['load', 'loadend']) xhr.dispatchEvent(new page.ProgressEvent(type));
}

/** XMLHttpRequest, "document response": of what is XML, or does not say what it is, and well-formed. */
function documentOf(page: Means, text: string, type = 'text/xml'): Document | null {
  if (!/^\s*(?:(?:text|application)\/xml|[\w.-]+\/[\w.+-]+\+xml)\s*(?:;|$)/i.test(type)) return null;
  const made = new page.DOMParser().parseFromString(text, 'application/xml');
  return made.querySelector('parsererror') === null ? made : null;
}

function headerOf(headers: Parcel['headers'], wanted: string): string | null {
  return headers.find(([name]) => name === wanted.toLowerCase())?.[1] ?? null;
}
