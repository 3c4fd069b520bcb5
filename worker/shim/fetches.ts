/**
 * `fetch` is this realm's on whatever window of the page's it is called, a blank frame's among them (blank-frames.ts). And in
 * Firefox, whose service workers are told of no request that may outlive its page (`keepalive`), such a request is one like
 * any other: it would go past the tunnel to the network, where nothing of the service is.
 */
import { apply } from './realm.ts';

const isToldOfAll = 'body' in Request.prototype;

export function routeFetches(): void {
  self.fetch = new Proxy(self.fetch, {
    apply(native, _self, given: [Request?, RequestInit?]) {
      const [what, how] = given;
      if (!isToldOfAll && (how?.keepalive ?? what?.keepalive))
        given[1] = { __proto__: how, keepalive: false } as RequestInit;
      return apply(native, undefined, given);
    },
  });
}
