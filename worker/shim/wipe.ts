/**
 * The page that comes with the order to wipe this origin after a kiosk's visit (Clear-Site-Data: the browser has done that
 * before this runs). What the order does not name is taken away here: cookies, because `"cookies"` would take those of
 * all apps, and this tab's session storage. Then it is counted what is left, and the shell is told.
 */
import { ownPaths, type ToShell } from '../app-messages.ts';
import { siblingOrigin } from '../origins.ts';

/** Those of the app's first path, and our own, which are of the path of this page. */
function clearCookies(): void {
  const names = document.cookie.split('; ').map((pair) => pair.split('=', 1)[0]);
  for (const path of ['/', ownPaths])
    for (const name of names) {
      // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API knows no path without a slash at its end.
      document.cookie = `${name}=;path=${path};max-age=0`;
    }
}

async function countLeft(): Promise<number> {
  const [databases, names, registrations] = await Promise.all([
    indexedDB.databases(),
    caches.keys(),
    navigator.serviceWorker.getRegistrations(),
  ]);
  const cookies = document.cookie === '' ? 0 : document.cookie.split(';').length;
  return databases.length + names.length + registrations.length + localStorage.length + sessionStorage.length + cookies;
}

try {
  localStorage.clear();
  sessionStorage.clear();
  clearCookies();
  tell({ latchkey: 'wiped', left: await countLeft() });
} catch {
  tell({ latchkey: 'wiped', left: -1 });
}

function tell(message: ToShell): void {
  window.parent.postMessage(message, siblingOrigin(location, 'shell'));
}
