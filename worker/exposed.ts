/**
 * The only door of the tunnel's Worker. comlink follows any path a message names, up prototype chains too: a page could
 * ask for `constructor.constructor`, or set a trap on Object.prototype and be handed keys as they are assigned. So only
 * calls of the api's own members get as far as comlink; every other message is dropped unanswered.
 */
import { type Endpoint, expose } from 'comlink';

/** @param api frozen. @param endpoint what the page's messages arrive at: the Worker's global scope. */
export function exposeMembers(api: object, endpoint: Endpoint): void {
  expose(api, {
    postMessage: (message, transfer) => endpoint.postMessage(message, transfer ?? []),
    addEventListener: (type, listener, options) => endpoint.addEventListener(type, onlyCalls(api, listener), options),
    // comlink takes its listener away when it is told to release the object, which is not let through.
    removeEventListener: () => undefined,
  });
}

function onlyCalls(api: object, listener: EventListenerOrEventListenerObject): EventListener {
  const hear = typeof listener === 'function' ? listener : listener.handleEvent.bind(listener);
  return (event) => {
    if (isCall(api, (event as MessageEvent<unknown>).data)) hear(event);
  };
}

/** Hostile input: whoever runs script in the page writes these. */
function isCall(api: object, data: unknown): boolean {
  if (typeof data !== 'object' || data === null) return false;
  const { type, path } = data as { type?: unknown; path?: unknown };
  if (type !== 'APPLY' || !Array.isArray(path) || path.length !== 1) return false;
  const [member] = path as unknown[];
  return typeof member === 'string' && Object.hasOwn(api, member);
}
