/**
 * The hidden frame that the shell keeps on an app's origin: registers the service worker and passes its ports on.
 * It works while the visible frame shows a picture, a PDF or nothing yet.
 */
import { type NeedPort, ownPaths, type ToShell } from '../app-messages.ts';
import { siblingOrigin } from '../origins.ts';
import { holdLock } from '../sw/helper-lock.ts';

const shellOrigin = siblingOrigin(location, 'shell');
const pingEveryMs = 10_000;

function tellShell(message: ToShell, ports: Transferable[] = []): void {
  window.parent.postMessage(message, shellOrigin, ports);
}

navigator.serviceWorker.addEventListener('message', (event: MessageEvent<NeedPort>) => {
  const port = event.ports[0];
  if (event.data.latchkey === 'need-port' && port !== undefined)
    tellShell({ latchkey: 'port', kind: event.data.kind }, [port]);
});

try {
  await holdLock();
  navigator.serviceWorker.startMessages();
  await navigator.serviceWorker.register(`${ownPaths}sw.js`, { scope: '/', updateViaCache: 'none' });
  const registration = await navigator.serviceWorker.ready;
  // Firefox ends a body that a service worker made after 30 s unless events keep arriving.
  setInterval(() => registration.active?.postMessage({ latchkey: 'ping' }), pingEveryMs);
  tellShell({ latchkey: 'ready' });
} catch (error) {
  tellShell({ latchkey: 'failed', reason: error instanceof Error ? error.name : 'unknown' });
}
