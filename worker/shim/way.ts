/**
 * How a WebSocket's port leaves its realm: a window gives it to the service worker that controls it; a worker, which
 * cannot speak to the service worker, to whoever started it, over a port that came as the first message of all.
 */

import type { WayIn, WebSocketFromTunnel, WebSocketPort } from '../app-messages.ts';
import { isWindow } from './realm.ts';

// The app does not see this container (service-workers.ts).
export const container = ownContainer();

/** A sandboxed page may not even ask. */
function ownContainer(): ServiceWorkerContainer | undefined {
  try {
    return navigator.serviceWorker;
  } catch {
    return undefined;
  }
}

const { locks } = self.navigator;
let found: (way: MessagePort) => void;
let outwards: MessagePort | Promise<MessagePort> = new Promise((take) => {
  found = take;
});
/** The name of the Web Lock that this worker holds from its first WebSocket on, for nothing else tells of its end. */
let own: Promise<string> | undefined;

/**
 * @param lock of the worker that it is from, unless that is this one
 * @throws TypeError where no service worker is
 */
export function handOver(port: MessagePort, lock?: string): void {
  if (!isWindow) return void pass(port, lock);
  // Whoever calls catches what an absent one throws.
  const { controller } = container as ServiceWorkerContainer;
  (controller as ServiceWorker).postMessage({ latchkey: 'websocket', lock } satisfies WebSocketPort, [port]);
}

/** Whether workers started here can be given a way. */
export function hasWay(): boolean {
  return !isWindow || container?.controller != null;
}

/** A port to send a new worker as its first message; what comes back over it goes on from here. */
export function wayFor(worker: { postMessage(message: unknown, transfer: Transferable[]): void }): void {
  const { port1, port2 } = new MessageChannel();
  // None comes without a port.
  port1.onmessage = ({ data: lock, ports: [port] }) => {
    try {
      handOver(port as MessagePort, lock);
    } catch {
      (port as MessagePort).postMessage({ t: 'closed' } satisfies WebSocketFromTunnel);
    }
  };
  worker.postMessage({ latchkey: 'way' } satisfies WayIn, [port2]);
}

/** Not before the lock is held: whoever waits for its end would see that at once. */
async function pass(port: MessagePort, lock?: string): Promise<void> {
  own ??= new Promise((hold) => {
    void locks.request(crypto.randomUUID(), (held) => {
      hold((held as Lock).name);
      return new Promise(() => undefined);
    });
  });
  const name = lock ?? (await own);
  (await outwards).postMessage(name, [port]);
}

/** In a worker: takes the way from the messages before the app's script can see it. */
export function expectWay(): void {
  addEventListener('message', take);
  // A shared worker gets one from each page; the newest lives longest.
  addEventListener('connect', (event) => {
    (event as MessageEvent).ports[0]?.addEventListener('message', take);
  });
}

function take(event: MessageEvent): void {
  const [port] = event.ports;
  if ((event.data as WayIn | null)?.latchkey !== 'way' || !port) return;
  event.stopImmediatePropagation();
  found(port);
  outwards = port;
}
