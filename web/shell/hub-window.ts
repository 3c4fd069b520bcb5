/** A small window of the hub, where the passkey lives, and a port to it. Only that window, on that origin, is heard. */
import {
  type LaunchedService,
  type StepUpWindowOpened,
  type StepUpWindowReady,
  TunnelFault,
} from '../../worker/api.ts';

/** Of this page load alone: a window is anybody's to navigate who knows its name, the app in its frame too. */
const windowName = `latchkey-step-up-${crypto.randomUUID()}`;

/**
 * @param page of the hub's, for a step-up or for signing in again.
 * Must be called in a click, or the browser opens no window. A window that is open already is used again.
 * @param abandon a later call takes this one's place.
 * @returns the near end of a port whose other end the window has; never settles when it is closed before it loaded.
 * @throws TunnelFault `popup_blocked`
 */
export async function openHubWindow(
  page: string,
  { title, name }: Pick<LaunchedService, 'title' | 'name'>,
  abandon: AbortSignal,
): Promise<MessagePort> {
  const hub = new URL(page).origin;
  const opened = window.open(page, windowName, 'popup,width=480,height=600');
  if (opened === null)
    throw new TunnelFault('popup_blocked', 'The browser opened no window. Allow pop-ups for this page and try again.');
  await new Promise<void>((resolve) => {
    const hear = (event: MessageEvent<StepUpWindowReady | null>): void => {
      if (event.origin !== hub || event.source !== opened || event.data?.latchkey !== 'step-up-ready') return;
      resolve();
    };
    window.addEventListener('message', hear, { signal: abandon });
  });
  const { port1, port2 } = new MessageChannel();
  opened.postMessage({ latchkey: 'step-up', service: title, name } satisfies StepUpWindowOpened, hub, [port2]);
  return port1;
}
