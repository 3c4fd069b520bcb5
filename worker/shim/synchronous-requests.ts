/**
 * Synchronous XMLHttpRequests: they go past the service worker to the network, where nothing of the service is. To the
 * app's own origin they fail as on a dead network, without reaching it; elsewhere they are the browser's.
 */
import { apply, resolve } from './realm.ts';

const refused = new WeakSet<XMLHttpRequest>();

export function refuseSynchronousRequests({ prototype }: typeof XMLHttpRequest): void {
  prototype.open = new Proxy(prototype.open, {
    apply(native, self: XMLHttpRequest, given: [string, string | URL, boolean?]) {
      const isRefused = given.length > 2 && !given[2] && isOwn(given[1]);
      if (isRefused) refused.add(self);
      else refused.delete(self);
      // Opened as asynchronous, so that nothing can make it leave.
      return apply(native, self, isRefused ? [given[0], given[1], true] : given);
    },
  });
  prototype.send = new Proxy(prototype.send, {
    apply(native, self: XMLHttpRequest, given) {
      if (!refused.has(self)) return apply(native, self, given);
      throw new DOMException('No synchronous requests.', 'NetworkError');
    },
  });
}

function isOwn(address: string | URL): boolean {
  const url = resolve(address);
  return url?.origin === origin && url.protocol !== 'blob:';
}
