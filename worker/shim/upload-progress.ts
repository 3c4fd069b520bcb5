/**
 * How far an XMLHttpRequest of a page is with its upload. Of a body that a service worker takes neither browser says that:
 * Chromium's `upload` hears of the start and no more, Firefox's of the end as well, with the answer. So the service worker
 * says what the tunnel has taken, and the events are made of it, here where the shim's size does not count.
 *
 * An object of which nobody looked at `upload` stays as it was. The request of one is told from all others by the fragment
 * of its address, which goes to no server, no redirect's either, and is in no `responseURL`.
 */
import { uploadMark } from '../app-messages.ts';
import { isSynchronous, ownAddress, type Page, replace } from './page-requests.ts';
import { WatchedUpload } from './watched-upload.ts';

/** What a page asked of an object since it was opened, for the app's own origin. */
interface Opened {
  readonly given: readonly string[];
  readonly headers: [string, string][];
}

/** @param listen has the service worker say over the port how many bytes of that request's body the tunnel has taken. */
export function tellUploadProgress(page: Page, listen: (id: string, port: MessagePort) => void): void {
  // Before the page's own scripts, which may put others in their places.
  const { MessageChannel, ProgressEvent } = page;
  const { open, setRequestHeader } = page.XMLHttpRequest.prototype;
  const opened = new WeakMap<XMLHttpRequest, Opened>();
  const uploads = new WeakMap<XMLHttpRequest, WatchedUpload>();
  onLook(page, (xhr, upload) => {
    if (uploads.has(xhr) || window.closed) return;
    const watched = new WatchedUpload(xhr, upload, ProgressEvent);
    uploads.set(xhr, watched);
    if (xhr.readyState === XMLHttpRequest.UNSENT || opened.has(xhr)) watched.attend();
  });
  replace(page, 'open', (native, xhr, given) => {
    opened.delete(xhr);
    uploads.get(xhr)?.end();
    Reflect.apply(native, xhr, given);
    const isOwn = !isSynchronous(given) && !window.closed && ownAddress(page, given[1]) !== undefined;
    if (isOwn) opened.set(xhr, { given, headers: [] });
    if (isOwn) uploads.get(xhr)?.attend();
    else uploads.get(xhr)?.leave();
  });
  replace(page, 'setRequestHeader', (native, xhr, given) => {
    Reflect.apply(native, xhr, given);
    opened.get(xhr)?.headers.push([`${given[0]}`, `${given[1]}`]);
  });
  replace(page, 'send', (native, xhr, given) => {
    const [asked, watched] = [opened.get(xhr), uploads.get(xhr)];
    opened.delete(xhr);
    if (asked !== undefined && watched !== undefined && given[0] != null && !window.closed) {
      const id = crypto.randomUUID();
      const [method, address, ...rest] = asked.given;
      Reflect.apply(open, xhr, [method, withFragment(`${address}`, uploadMark + id), ...rest]);
      for (const header of asked.headers) setRequestHeader.apply(xhr, header);
      listen(id, watched.begin(new MessageChannel()));
    }
    Reflect.apply(native, xhr, given);
  });
}

/** As text, for the browser to read once more: how a query is encoded depends on the page's own encoding (URL, "url parsing"). */
function withFragment(address: string, fragment: string): string {
  // What the browser would take off the end must not come to stand before the mark.
  const [before] = address.trimEnd().split('#', 1);
  return `${before}#${fragment}`;
}

/** Calls whenever a script of the page gets an object's `upload`. */
function onLook(
  { XMLHttpRequest: { prototype }, Proxy: PageProxy }: Page,
  looked: (xhr: XMLHttpRequest, upload: XMLHttpRequestUpload) => void,
): void {
  // Every browser has it (XMLHttpRequest, "upload").
  const native = Object.getOwnPropertyDescriptor(prototype, 'upload') as Required<PropertyDescriptor>;
  const get = new PageProxy(native.get, {
    apply(target, xhr: XMLHttpRequest, given) {
      const upload = Reflect.apply(target, xhr, given) as XMLHttpRequestUpload;
      looked(xhr, upload);
      return upload;
    },
  });
  Object.defineProperty(prototype, 'upload', { ...native, get });
}
