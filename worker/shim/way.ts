/**
 * How a WebSocket's port leaves its realm: a window gives it to the service worker that controls it; a worker, which
 * cannot speak to the service worker, to whoever started it, over a port that came as the first message of all.
 */

import type { WayIn, WebSocketPort } from '../app-messages.ts';
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

let outwards: MessagePort | undefined;
const waiting: MessagePort[] = [];

/** @throws TypeError where no service worker is */
export function handOver(port: MessagePort): void {
  if (!isWindow) {
    pass(port);
    return;
  }
  // Whoever calls catches what an absent one throws.
  const { controller } = container as ServiceWorkerContainer;
  (controller as ServiceWorker).postMessage({ latchkey: 'websocket' } satisfies WebSocketPort, [port]);
}

/** Whether workers started here can be given a way. */
export function hasWay(): boolean {
  return !isWindow || container?.controller != null;
}

/** A port to send a new worker as its first message; what comes back over it goes on from here. */
export function wayFor(worker: { postMessage(message: unknown, transfer: Transferable[]): void }): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ ports: [port] }) => {
    try {
      if (port) handOver(port);
    } catch {
      port?.postMessage({ t: 'closed', code: 1006, reason: '', clean: false });
    }
  };
  worker.postMessage({ latchkey: 'way' } satisfies WayIn, [port2]);
}

function pass(port: MessagePort): void {
  if (outwards) outwards.postMessage(null, [port]);
  else waiting.push(port);
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
  outwards = port;
  for (const one of waiting.splice(0)) pass(one);
}
