/**
 * Workers that an app starts. The service worker puts the shim before scripts that come from the service (worker-script.ts);
 * a script in a blob never passes it, so the blob is made anew with the shim as its beginning. It is the shim's text and not
 * its address, which a policy may forbid; so what such a module imports comes before it, with the shim where it is the
 * service's, and without where it is a blob.
 */

import { apply, construct, defineProperty, isOwn, resolve } from './realm.ts';
import { hasWay, wayFor } from './way.ts';

/** All of this script: the build gives the function around it this name (vite.config.ts). */
declare const shim: () => void;
/** As much of Trusted Types as is used, where a browser has them. */
interface TrustedTypes {
  isScriptURL(value: unknown): boolean;
  createPolicy(name: string, rules: object): { createScriptURL(address: string): unknown };
}
const { trustedTypes: trusted } = self as { trustedTypes?: TrustedTypes };
/** One for all workers: a second of its name is forbidden to most pages. */
let policy: ReturnType<TrustedTypes['createPolicy']> | undefined;

/** Blobs that have an address. */
const blobs = new Map<string, Blob>();
const { createObjectURL, revokeObjectURL } = URL;

/** Puts `Worker` and `SharedWorker` in place, and remembers blobs. */
export function routeWorkers(realm: typeof globalThis): void {
  URL.createObjectURL = new Proxy(createObjectURL, {
    apply(native, self, given: [Blob]) {
      const address = apply(native, self, given) as string;
      if (given[0] instanceof Blob) blobs.set(address, given[0]);
      return address;
    },
  });
  URL.revokeObjectURL = new Proxy(revokeObjectURL, {
    apply(native, self, given: [string]) {
      blobs.delete(String(given[0]));
      return apply(native, self, given);
    },
  });
  if ('Worker' in realm) replace(realm, 'Worker', (worker) => wayFor(worker as Worker));
  if ('SharedWorker' in realm) replace(realm, 'SharedWorker', (worker) => wayFor((worker as SharedWorker).port));
}

function replace(realm: typeof globalThis, name: 'Worker' | 'SharedWorker', started: (worker: object) => void): void {
  const shimmed = new Proxy(realm[name] as new (...given: unknown[]) => object, {
    construct(native, given: unknown[], newTarget) {
      // Trusted Types' objects convert like text, and go on as they came unless they name a blob.
      const address = hasWay() ? resolve(given[0])?.href : '';
      const blob = address && blobs.get(address);
      // Of the service; a blob that we have not seen begins with `blob:`.
      let hasShim = isOwn(address);
      if (blob)
        try {
          given[0] = withShim(blob, given[0]);
          hasShim = true;
        } catch {
          // The page's policy lets us make no address: that worker goes without the shim.
        }
      const worker = construct(native, given, newTarget) as object;
      if (hasShim) started(worker);
      return worker;
    },
  });
  realm[name].prototype.constructor = shimmed;
  defineProperty(realm, name, { value: shimmed });
}

/**
 * @param given the blob's address; an object of Trusted Types is answered by one.
 * @throws TypeError where the page's policy lets us make none.
 */
function withShim(blob: Blob, given: unknown): unknown {
  // It has the type of the other.
  const address = createObjectURL.call(URL, new Blob([`(${shim})();`, blob], blob as BlobPropertyBag));
  if (!trusted?.isScriptURL(given)) return address;
  policy ??= trusted.createPolicy('latchkey', { createScriptURL: String });
  return policy.createScriptURL(address);
}
