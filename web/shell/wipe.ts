/** Wipes an app's origin after a kiosk's visit: a hidden frame asks that origin's server for the order (worker/shim/wipe.ts). */
import type { ToShell } from '../../worker/app-messages.ts';

const limitMs = 30_000;
/** A tab that shows the app hears of the visit's end within moments, or has lost its network. */
const patienceMs = 10_000;

/**
 * Keeps wipes of the app waiting, those of this tab too, as long as its pages stand in this tab and could write what was
 * just wiped. With the tab it ends by itself.
 * @returns ends it
 */
export function keepApp(origin: string): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  void navigator.locks.request(lockOf(origin), { mode: 'shared' }, () => promise);
  return resolve;
}

/**
 * One after the other: what counts the databases and caches of an origin that another tab has wiped at that moment is
 * never answered in Chromium.
 * @param ticket of the visit. @param into where the frame stands meanwhile
 * @returns whether nothing is left; false where it could not be found out
 */
export function wipeApp(origin: string, ticket: string, into: ParentNode): Promise<boolean> {
  const run = () => wipeNow(origin, ticket, into);
  return navigator.locks.request(lockOf(origin), { signal: AbortSignal.timeout(patienceMs) }, run).catch(run);
}

const lockOf = (origin: string): string => `app ${origin}`;

async function wipeNow(origin: string, ticket: string, into: ParentNode): Promise<boolean> {
  const frame = document.createElement('iframe');
  frame.hidden = true;
  frame.tabIndex = -1;
  frame.src = `${origin}/.latchkey/wipe/${ticket}`;
  const over = new AbortController();
  const told = new Promise<number>((resolve) => {
    const listen = ({ origin: from, source, data }: MessageEvent<ToShell | null>) => {
      if (from === origin && source === frame.contentWindow && data?.latchkey === 'wiped') resolve(data.left);
    };
    window.addEventListener('message', listen, over);
    const timer = setTimeout(resolve, limitMs, -1);
    over.signal.addEventListener('abort', () => clearTimeout(timer));
  });
  into.append(frame);
  try {
    return (await told) === 0;
  } finally {
    frame.remove();
    over.abort();
  }
}
