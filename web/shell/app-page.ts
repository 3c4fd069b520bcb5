/**
 * What the app's page says of itself, so that the tab looks as it would without us: its title, its icon, and where in
 * the app it is. All of it is the app's word and is treated as such: a title is text, an icon is a picture.
 */
import { type AppPage, type IconRequest, maxIconBytes, type ToShell } from '../../worker/app-messages.ts';
import { isPath } from './addresses.ts';

const maxTitleLength = 256;
const maxPathLength = 4_096;
const pictures = /^image\/(?:png|jpeg|gif|webp|avif|svg\+xml|x-icon|vnd\.microsoft\.icon)$/;

export interface AppPages {
  /** The app's origin. */
  readonly origin: string;
  /** The window of the app's frame, once there is one. */
  readonly frame: () => Window | null | undefined;
  /** The hidden frame of the app's origin, which can fetch its icon. */
  readonly helper: () => Window | null | undefined;
  /** What the tab is called when the page has no title. */
  readonly fallback: string;
}

/** Follows the app's pages for as long as this page lives. */
export function followAppPages(app: AppPages): void {
  const ownIcon = iconLink()?.href;
  let wanted: string | undefined;
  window.addEventListener('message', ({ origin, source, data }: MessageEvent<ToShell | null>) => {
    if (origin !== app.origin) return;
    if (data?.latchkey === 'page' && source === app.frame()) {
      const page = readPage(data);
      if (page === undefined) return;
      document.title = page.title === '' ? app.fallback : page.title;
      history.replaceState(history.state, '', `#${encodeURIComponent(page.path)}`);
      if (page.icon === wanted) return;
      wanted = page.icon;
      app.helper()?.postMessage({ latchkey: 'icon', path: page.icon } satisfies IconRequest, app.origin);
    }
    if (data?.latchkey === 'icon' && source === app.helper() && data.path === wanted) {
      const link = iconLink();
      if (link !== null) link.href = addressOf(data) ?? ownIcon ?? '';
    }
  });
}

/** Hostile: any script of the app can send it. */
function readPage({ title, path, icon }: AppPage): AppPage | undefined {
  if (![title, path, icon].every((text) => typeof text === 'string')) return undefined;
  if (![path, icon].every((text) => text.length <= maxPathLength && isPath(text))) return undefined;
  return { title: title.slice(0, maxTitleLength), path, icon };
}

/** A picture as a `data:` address; undefined for anything that is none. A browser runs no script in an icon. */
function addressOf({ type, bytes }: { readonly type: string; readonly bytes: Uint8Array }): string | undefined {
  if (!(bytes instanceof Uint8Array) || bytes.length === 0 || bytes.length > maxIconBytes) return undefined;
  const kind = String(type).split(';')[0]?.trim().toLowerCase() ?? '';
  if (!pictures.test(kind)) return undefined;
  return `data:${kind};base64,${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}`;
}

function iconLink(): HTMLLinkElement | null {
  return document.querySelector<HTMLLinkElement>('link[rel=icon]');
}
