/**
 * The hidden frame that the shell keeps on an app's origin: registers the service worker and passes its ports on.
 * It works while the visible frame shows a picture, a PDF or nothing yet.
 */
import { type NeedPort, ownPaths, type ToServiceWorker, type ToShell } from '../app-messages.ts';
import { siblingOrigin } from '../origins.ts';
import { holdLock } from '../sw/helper-lock.ts';

const shellOrigin = siblingOrigin(location, 'shell');
const pingEveryMs = 10_000;

function tellShell(message: ToShell, ports: Transferable[] = []): void {
  window.parent.postMessage(message, shellOrigin, ports);
}

function tell(serviceWorker: ServiceWorker | null, message: ToServiceWorker): void {
  serviceWorker?.postMessage(message);
}

try {
  const lock = await holdLock();
  navigator.serviceWorker.addEventListener('message', (event: MessageEvent<NeedPort>) => {
    const [message, port] = [event.data, event.ports[0]];
    if (message.latchkey !== 'need-port' || port === undefined) return;
    if (lock !== undefined) tell(event.source as ServiceWorker | null, { latchkey: 'lock', name: lock });
    tellShell({ latchkey: 'port', kind: message.kind }, [port]);
  });
  navigator.serviceWorker.startMessages();
  await navigator.serviceWorker.register(`${ownPaths}sw.js`, { scope: '/', updateViaCache: 'none' });
  const registration = await navigator.serviceWorker.ready;
  // Firefox ends a body that a service worker made after 30 s unless events keep arriving.
  setInterval(() => tell(registration.active, { latchkey: 'ping' }), pingEveryMs);
  tellShell({ latchkey: 'ready' });
} catch (error) {
  tellShell({ latchkey: 'failed', reason: error instanceof Error ? error.name : 'unknown' });
}
