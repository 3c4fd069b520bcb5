/**
 * What a page of an app's origin does that the network answered instead of the service worker: a hard reload, or the
 * address typed into a bare tab. It goes back to where the service worker answers, at most a few times in a row.
 */
import { labelOf, shellAddress } from '../origins.ts';

const triesKey = 'latchkey-boot-tries';
const maxTries = 3;
/** Tries further apart than this are not in a row. */
const rowMs = 20_000;

async function boot(): Promise<void> {
  if (window.parent === window) return bootTab();
  if (!mayTry()) return giveUp();
  await navigator.serviceWorker.ready;
  location.reload();
}

/**
 * A tab of its own: a pop-up of the app that was reloaded hard, or an address that was typed. The service worker knows
 * whether a shell has the app open; it sends to the shell whatever it cannot bring.
 */
async function bootTab(): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration();
  if (registration?.active != null && mayTry()) return location.reload();
  const path = location.pathname + location.search + location.hash;
  location.replace(shellAddress(location, labelOf(location), path));
}

function mayTry(): boolean {
  const [count = 0, at = 0] = (sessionStorage.getItem(triesKey) ?? '').split(' ').map(Number);
  const tries = Date.now() - at < rowMs ? count + 1 : 1;
  if (tries > maxTries) sessionStorage.removeItem(triesKey);
  else sessionStorage.setItem(triesKey, `${tries} ${Date.now()}`);
  return tries <= maxTries;
}

function giveUp(): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(
    ':root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{margin:12vh auto;max-width:34rem;padding:0 1.5rem}',
  );
  document.adoptedStyleSheets = [sheet];
  const note = document.createElement('p');
  note.setAttribute('role', 'alert');
  note.textContent =
    'This page could not be opened: the service worker that brings it does not answer. Close this tab and open the service again from the hub.';
  document.body.replaceChildren(note);
}

void boot();
