/**
 * How a service worker learns that a helper frame has gone: the frame holds a Web Lock of a name of its own, and the
 * browser gives it up when the frame goes, however it goes.
 */

const prefix = 'latchkey helper ';

/** For the helper: held until the frame is gone. */
export async function holdLock(): Promise<void> {
  const name = prefix + crypto.randomUUID();
  const held = Promise.withResolvers<void>();
  const forever = new Promise<never>(() => undefined);
  navigator.locks
    .request(name, () => {
      held.resolve();
      return forever;
    })
    .catch(() => held.resolve());
  await held.promise;
}

/** For the service worker. @param clientId of the helper. @returns undefined for one that holds no such lock. */
export async function lockNameOf(clientId: string): Promise<string | undefined> {
  const { held = [] } = await navigator.locks.query();
  return held.find((lock) => lock.clientId === clientId && lock.name?.startsWith(prefix))?.name;
}
