/**
 * The hidden frame that the shell keeps on an app's origin: registers the service worker and passes its ports on.
 * It works while the visible frame shows a picture, a PDF or nothing yet.
 */
import {
  type Here,
  type IconRequest,
  iconPath,
  sightCookie,
  type ToHelper,
  type ToServiceWorker,
  type ToShell,
} from '../app-messages.ts';
import { siblingOrigin } from '../origins.ts';
import { holdLock, whenReleased } from '../sw/helper-lock.ts';
import { readCookies, writeCookies } from './cookie-windows.ts';
import { keepDomain } from './document-domain.ts';
import { answerSynchronousRequests } from './synchronous-answers.ts';
import { tellUploadProgress } from './upload-progress.ts';

const shellOrigin = siblingOrigin(location, 'shell');
const pingEveryMs = 10_000;

function tellShell(message: ToShell, ports: Transferable[] = []): void {
  window.parent.postMessage(message, shellOrigin, ports);
}

function tell(serviceWorker: ServiceWorker | null, message: ToServiceWorker, ports: Transferable[] = []): void {
  serviceWorker?.postMessage(message, ports);
}

/** Of any window: what the shim takes from the app's pages is here, where no shim is, as it was. */
const container = Object.getOwnPropertyDescriptor(Navigator.prototype, 'serviceWorker')?.get as (
  this: Navigator,
) => ServiceWorkerContainer;

/**
 * Each window of this origin in this tab says to the service worker, as itself, which helper is its own. It is done for
 * them, so that it holds for pages without script too. Others' windows refuse to be reached into.
 */
function callRoll(tree: Window, helper: string): void {
  for (let at = 0; at < tree.length; at += 1) {
    const inner = tree[at];
    if (inner === undefined) continue;
    try {
      container.call(inner.navigator).controller?.postMessage({ latchkey: 'here', helper } satisfies Here);
    } catch {
      // Of another origin; there may be windows of ours inside it all the same.
    }
    callRoll(inner, helper);
  }
}

window.addEventListener('message', ({ origin, source, data }: MessageEvent<IconRequest | null>) => {
  if (origin !== shellOrigin || source !== window.parent || data?.latchkey !== 'icon') return;
  void tellIcon(String(data.path));
});

/** Through the service worker, as any file of the app. */
async function tellIcon(path: string): Promise<void> {
  const answer = await fetch(`${iconPath}?target=${encodeURIComponent(path)}`).catch(() => undefined);
  const body = (await answer?.arrayBuffer().catch(() => undefined)) ?? new ArrayBuffer(0);
  const bytes = new Uint8Array(body);
  const type = answer?.headers.get('content-type') ?? '';
  tellShell({ latchkey: 'icon', path, type, bytes }, [body]);
}

/** When the tab was last to be left. That it is asked about is soon after, or never. */
let leftAt = Number.NEGATIVE_INFINITY;
const leavingMs = 10_000;
window.addEventListener('beforeunload', () => {
  leftAt = performance.now();
});

/** Once for each time that it is left: what stays has not left. */
function isLeaving(): boolean {
  const isSo = performance.now() - leftAt < leavingMs;
  leftAt = Number.NEGATIVE_INFINITY;
  return isSo;
}

/** Locks of workers that are waited for. */
const watched = new Set<string>();

/** A worker that has ended tells nobody: the shell hears of it from here, for the sockets that it had open. */
function watchWorker(lock: string): void {
  if (watched.has(lock)) return;
  watched.add(lock);
  whenReleased(lock, () => {
    watched.delete(lock);
    tellShell({ latchkey: 'worker-gone', lock });
  });
}

/**
 * The service worker that serves this origin. One that is there already is not registered again, which would wait
 * seconds while the browser looks for a newer one; it does that by itself, with the navigation of this frame.
 */
async function inPlace(): Promise<ServiceWorkerRegistration> {
  const present = await navigator.serviceWorker.getRegistration('/');
  // One of an early version has another address, and would never be replaced.
  if (present?.active && new URL(present.active.scriptURL).pathname === '/') return present;
  // By the origin's first path: Chromium tells a service worker of the cookies below its script's address alone.
  await navigator.serviceWorker.register('/', { scope: '/', updateViaCache: 'none' });
  return navigator.serviceWorker.ready;
}

try {
  const lock = await holdLock();
  navigator.serviceWorker.addEventListener('message', (event: MessageEvent<ToHelper>) => {
    const [message, port] = [event.data, event.ports[0]];
    if (message.latchkey === 'roll-call') callRoll(window.parent, message.helper);
    if (message.latchkey === 'led') tellShell(message);
    if (message.latchkey === 'leaving') port?.postMessage(isLeaving());
    if (message.latchkey === 'read-cookies') void readCookies(message.path).then((text) => port?.postMessage(text));
    if (message.latchkey === 'write-cookies') port?.postMessage(writeCookies(message.lines));
    if (message.latchkey !== 'need-port' || port === undefined) return;
    if (lock !== undefined) tell(event.source as ServiceWorker | null, { latchkey: 'lock', name: lock });
    if (message.lock !== undefined) watchWorker(message.lock);
    const { kind, lock: ofWorker } = message;
    tellShell({ latchkey: 'port', kind, lock: ofWorker }, [port]);
  });
  navigator.serviceWorker.startMessages();
  writeCookies([sightCookie]);
  const registration = await inPlace();
  // Not before: so the service worker sees whose Worker that is.
  await answerSynchronousRequests((page) => {
    keepDomain(page);
    tellUploadProgress(page, (id, port) => tell(registration.active, { latchkey: 'upload', id }, [port]));
  });
  // Firefox ends a body that a service worker made after 30 s unless events keep arriving.
  setInterval(() => tell(registration.active, { latchkey: 'ping' }), pingEveryMs);
  tellShell({ latchkey: 'ready' });
} catch (error) {
  tellShell({ latchkey: 'failed', reason: error instanceof Error ? error.name : 'unknown' });
}
