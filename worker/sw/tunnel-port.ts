/**
 * The service worker's way to the tunnel: a MessagePort that a helper frame passes on to its shell's Worker.
 * A restarted service worker has lost its port and asks again; a closed shell tab takes its helper and port with it,
 * which shows by the lock the helper holds (helper-lock.ts).
 */
import { type FromTunnel, type NeedPort, ownPaths, type PortKind, type ToTunnel } from '../app-messages.ts';
import { whenReleased } from './helper-lock.ts';

declare const self: ServiceWorkerGlobalScope;

const answerLimitMs = 5_000;

/** No shell has this app open, or none answered. */
export class NoTunnel extends Error {
  readonly code: 'no_shell' | 'no_answer';
  constructor(code: 'no_shell' | 'no_answer') {
    super(`tunnel: ${code}`);
    this.name = 'NoTunnel';
    this.code = code;
  }
}

/** Whoever waits for the messages of one exchange. */
export interface Listener {
  receive(message: Exclude<FromTunnel, { t: 'ready' }>): void;
  /** The tab that held the tunnel is gone. */
  lost(): void;
}

export class TunnelPort {
  readonly helperId: string;
  readonly #port: MessagePort;
  readonly #listeners = new Map<number, Listener>();
  #nextId = 1;

  constructor(helperId: string, port: MessagePort) {
    this.helperId = helperId;
    this.#port = port;
    port.onmessage = (event: MessageEvent<FromTunnel>) => {
      const message = event.data;
      if (message.t !== 'ready') this.#listeners.get(message.id)?.receive(message);
    };
  }

  /** @returns the id of a new exchange, whose messages go to `listener` until {@link forget}. */
  begin(listener: Listener): number {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#listeners.set(id, listener);
    return id;
  }

  forget(id: number): void {
    this.#listeners.delete(id);
  }

  send(message: ToTunnel, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  /** Nothing will come any more: every exchange under way has failed. */
  lose(): void {
    this.#port.close();
    for (const listener of this.#listeners.values()) listener.lost();
    this.#listeners.clear();
  }
}

let present: TunnelPort | undefined;
let asking: Promise<TunnelPort> | undefined;

/** The port in use, or a new one. @throws NoTunnel */
export async function tunnelPort(): Promise<TunnelPort> {
  if (present !== undefined && (await self.clients.get(present.helperId)) !== undefined) return present;
  drop(present);
  asking ??= ask().finally(() => {
    asking = undefined;
  });
  return asking;
}

function drop(port: TunnelPort | undefined): void {
  if (port === undefined || port !== present) return;
  present = undefined;
  port.lose();
}

async function ask(): Promise<TunnelPort> {
  const helpers = await helperClients();
  if (helpers.length === 0) throw new NoTunnel('no_shell');
  for (const helper of helpers) {
    const port = await askOne(helper);
    if (port === undefined) continue;
    present = new TunnelPort(helper.id, port);
    return present;
  }
  throw new NoTunnel('no_answer');
}

/** A helper told the name of its lock, which it does with every port it passes on. */
export function watchHelper(helperId: string, lock: string): void {
  whenReleased(lock, () => {
    if (present?.helperId === helperId) drop(present);
  });
}

/** A frozen tab does not answer, so the next one is asked. */
function askOne(helper: Client): Promise<MessagePort | undefined> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      port1.close();
      resolve(undefined);
    }, answerLimitMs);
    port1.onmessage = (event: MessageEvent<FromTunnel>) => {
      if (event.data.t !== 'ready') return;
      clearTimeout(timer);
      resolve(port1);
    };
    handToShell(helper, port2, 'service-worker');
  });
}

/** Passes a page's own port (a WebSocket's) to the tab that holds the tunnel. @throws NoTunnel */
export async function passPort(port: MessagePort): Promise<void> {
  const helpers = await helperClients();
  const helper = helpers.find(({ id }) => id === present?.helperId) ?? helpers[0];
  if (helper === undefined) throw new NoTunnel('no_shell');
  handToShell(helper, port, 'websocket');
}

function handToShell(helper: Client, port: MessagePort, kind: PortKind): void {
  helper.postMessage({ latchkey: 'need-port', kind } satisfies NeedPort, [port]);
}

async function helperClients(): Promise<readonly Client[]> {
  const all = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  // Nested: a helper opened in a tab of its own has no shell to speak to.
  return all.filter(
    ({ url, frameType }) => frameType === 'nested' && new URL(url).pathname === `${ownPaths}helper.html`,
  );
}
