/** Wipes an app's origin after a kiosk's visit: a hidden frame asks that origin's server for the order (worker/shim/wipe.ts). */
import type { ToShell } from '../../worker/app-messages.ts';

const limitMs = 30_000;

/**
 * @param ticket of the visit. @param into where the frame stands meanwhile
 * @returns whether nothing is left; false where it could not be found out
 */
export async function wipeApp(origin: string, ticket: string, into: ParentNode): Promise<boolean> {
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
