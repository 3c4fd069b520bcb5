/**
 * Frames whose page no service brought: about:blank, srcdoc, blob. Chromium's service worker does not see what a blank one
 * asks for, and none has a shim of its own, so they get the means of the page that made them. The window of a new frame
 * stays the same when a page of the same origin is put in it, so what is given at once is there before its scripts are.
 */
import { noteCookieWrites } from './cookie-writes.ts';
import { routeDownload } from './download-links.ts';
import { referToSelf } from './meta-referrer.ts';
import {
  addEventListener,
  apply,
  defineProperty,
  deleteProperty,
  dropUnusable,
  getOwnPropertyDescriptor,
} from './realm.ts';
import { helped } from './synchronous-requests.ts';

const shared = ['WebSocket', 'XMLHttpRequest', 'EventSource', 'Worker', 'SharedWorker', 'fetch'] as const;
const blank = /^\s*($|about:|blob:|javascript:)/i;
const equipped = new WeakSet<Document>();

type Realm = Window & typeof globalThis;

/** This page, and from now on every frame of it, and of theirs. */
export function equipWindow(realm: Realm): void {
  // To the app this is a browser without service workers (docs/decisions/0012-an-app-has-no-service-worker.md).
  deleteProperty(realm.Navigator.prototype, 'serviceWorker');
  dropUnusable(realm);
  noteCookieWrites(realm);
  watchAccess(realm, 'contentWindow');
  watchAccess(realm, 'contentDocument');
  watchDocument(realm.document);
}

/** A page's script may reach into a frame in the same breath in which it made it. */
function watchAccess(realm: Realm, name: 'contentWindow' | 'contentDocument'): void {
  const { prototype } = realm.HTMLIFrameElement;
  // Every browser has it (HTML, "The iframe element").
  const native = getOwnPropertyDescriptor(prototype, name) as Required<PropertyDescriptor>;
  const get = new Proxy(native.get, {
    apply(target, self, given) {
      const value = apply(target, self, given);
      const found = name === 'contentWindow' ? value : value?.defaultView;
      if (found != null) equip(self as HTMLIFrameElement, found);
      return value;
    },
  });
  defineProperty(prototype, name, { ...native, get });
}

function watchDocument(page: Document): void {
  new MutationObserver((changes) => {
    listen(page);
    for (const { addedNodes } of changes) for (const node of addedNodes) look(node);
  }).observe(page, { childList: true, subtree: true });
  listen(page);
  look(page.documentElement);
}

/** Again after each change: a page that is written anew (`document.open`) loses its listeners, and keeps its observers. */
function listen(page: Document): void {
  // A frame that shows a blank page again has a new window.
  apply(addEventListener, page, ['load', lookAtLoaded, true]);
  apply(addEventListener, page, ['click', routeDownload]);
}

const lookAtLoaded = ({ target }: Event) => look(target as Node);

function look(node: Node | null): void {
  if (node?.nodeType !== 1) return;
  for (const element of [node as Element, ...(node as Element).querySelectorAll('iframe,meta')]) {
    if (element.localName === 'iframe') touch(element as HTMLIFrameElement);
    if (element.localName === 'meta') referToSelf(element as HTMLMetaElement);
  }
}

/** The accessor does the rest. */
const touch = (frame: HTMLIFrameElement): unknown => frame.contentWindow;

function equip(frame: HTMLIFrameElement, found: Window): void {
  const child = found as Realm;
  try {
    const isBlank = blank.test(child.location.href) && isBroughtByNobody(frame);
    if (!isBlank || equipped.has(child.document)) return;
    equipped.add(child.document);
    for (const name of shared) if (name in self) defineProperty(child, name, { value: self[name] });
    equipWindow(child);
    helped?.(window, child);
  } catch {
    // A frame of another origin, a sandboxed one among them, is no business of ours. Nor is what fails here the app's, which looked at a frame.
  }
}

/** A frame that is about to show a page of the service gets its shim from the gateway, in the same window. */
function isBroughtByNobody(frame: HTMLIFrameElement): boolean {
  return frame.hasAttribute('srcdoc') || blank.test(frame.getAttribute('src') ?? '');
}
