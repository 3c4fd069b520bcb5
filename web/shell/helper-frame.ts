/**
 * The hidden frame of the app's origin. Its messages are heard from its own window and exact origin only; but pages of the
 * app reach into it, so what it says is worth no more than what they say: ports to their own service, that whoever had
 * them is gone, and places in it.
 */
import type { LedMessage, PortNote, ToShell } from '../../worker/app-messages.ts';
import { isPath } from './addresses.ts';

const readyLimitMs = 20_000;

/** The app's service worker could not be put in place. */
export class HelperError extends Error {
  readonly code = 'service_worker';
  constructor() {
    super('This browser did not allow the service worker that opens the app. Leave private mode or allow site data.');
    this.name = 'HelperError';
  }
}

export class HelperFrame {
  readonly element: HTMLIFrameElement;
  /** Resolves when the app's service worker is in place. */
  readonly ready: Promise<void>;

  /**
   * @param takePort receives each port the app's service worker or pages ask for.
   * @param workerGone a worker of the app has ended, whose WebSockets were named with this lock.
   * @param led a page of the app wanted this whole tab for one of the app's pages; the path in it is one.
   */
  constructor(
    origin: string,
    takePort: (port: MessagePort, note: PortNote) => void,
    workerGone: (lock: string) => void,
    led: (message: LedMessage) => void,
  ) {
    const ready = Promise.withResolvers<void>();
    this.ready = ready.promise;
    this.element = document.createElement('iframe');
    this.element.hidden = true;
    this.element.tabIndex = -1;
    this.element.src = `${origin}/.latchkey/helper.html`;
    const timer = setTimeout(() => ready.reject(new HelperError()), readyLimitMs);
    window.addEventListener('message', (event: MessageEvent<ToShell | null>) => {
      if (event.origin !== origin || event.source !== this.element.contentWindow) return;
      const [message, port] = [event.data, event.ports[0]];
      if (message?.latchkey === 'port' && port !== undefined)
        takePort(port, { kind: message.kind, lock: message.lock });
      if (message?.latchkey === 'worker-gone') workerGone(message.lock);
      if (message?.latchkey === 'led' && typeof message.path === 'string' && isPath(message.path)) led(message);
      if (message?.latchkey === 'ready') ready.resolve();
      if (message?.latchkey === 'failed') ready.reject(new HelperError());
    });
    ready.promise.catch(() => undefined).finally(() => clearTimeout(timer));
  }
}
