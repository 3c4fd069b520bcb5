/**
 * How a service worker learns that a helper frame has gone, and a helper frame that a worker has: who may go holds a Web
 * Lock of a name of its own, and the browser gives it up for it, however it goes. MessagePorts do not say when their
 * other end is gone.
 */

/** For the helper. @returns the name of the lock, held until the frame is gone; undefined where there are no locks. */
export async function holdLock(): Promise<string | undefined> {
  const name = `latchkey helper ${crypto.randomUUID()}`;
  const held = Promise.withResolvers<string | undefined>();
  const forever = new Promise<never>(() => undefined);
  navigator.locks
    .request(name, () => {
      held.resolve(name);
      return forever;
    })
    .catch(() => held.resolve(undefined));
  return held.promise;
}

/** Calls `gone` when nobody holds the lock any more. */
export function whenReleased(name: string, gone: () => void): void {
  navigator.locks.request(name, gone).catch(() => undefined);
}
