/**
 * Workers that an app starts. The service worker puts the shim before scripts that come from the service (worker-script.ts);
 * a script in a blob never passes it, so the blob is made anew with the shim named first.
 */

import { ownPaths } from '../app-messages.ts';
import { apply, construct, defineProperty, resolve } from './realm.ts';
import { hasWay, wayFor } from './way.ts';

const shim = JSON.stringify(`${origin}${ownPaths}shim.js`);
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
      const address = given.length > 0 && hasWay() ? resolve(given[0]) : null;
      if (!address) return construct(native, given, newTarget);
      const blob = blobs.get(address.href);
      if (!blob && address.origin !== origin) return construct(native, given, newTarget);
      const script = blob ? withShim(blob, (given[1] as WorkerOptions | undefined)?.type) : given[0];
      const worker = construct(native, [script, ...given.slice(1)], newTarget) as object;
      started(worker);
      return worker;
    },
  });
  realm[name].prototype.constructor = shimmed;
  defineProperty(realm, name, { value: shimmed });
}

/** Where a policy forbids the shim's file, a classic worker goes without it. */
function withShim(blob: Blob, type: string | undefined): string {
  const first = type === 'module' ? `import ${shim};` : `try{importScripts(${shim})}catch{}`;
  return createObjectURL.call(URL, new Blob([first, blob], { type: blob.type || 'text/javascript' }));
}
