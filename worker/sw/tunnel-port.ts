/**
 * The service worker's way to the tunnel: a MessagePort that a helper frame passes on to its shell's Worker.
 * Each tab has its own. A restarted service worker has lost its ports and asks again; a closed shell tab takes its helper and port with it,
 * which shows by the lock the helper holds (helper-lock.ts).
 */
import type { CookieQuestion, FromExchange, FromTunnel, PortNote, ToHelper, ToTunnel } from '../app-messages.ts';
import { mirrorCookies, visibleCookies } from './cookies.ts';
import { whenReleased } from './helper-lock.ts';
import { helpersFor, homeOf } from './helpers.ts';

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
  receive(message: FromExchange): void;
  /** The tab that held the tunnel is gone. */
  lost(): void;
}

export class TunnelPort {
  readonly #port: MessagePort;
  readonly #listeners = new Map<number, Listener>();
  #nextId = 1;
  #isLost = false;

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = (event: MessageEvent<FromTunnel>) => this.#hear(event.data);
  }

  /** @returns the id of a new exchange, whose messages go to `listener` until {@link forget}. */
  begin(listener: Listener): number {
    const id = this.#nextId;
    this.#nextId += 1;
    // Whoever had the port before may still be about to use it.
    if (this.#isLost) queueMicrotask(() => listener.lost());
    else this.#listeners.set(id, listener);
    return id;
  }

  forget(id: number): void {
    this.#listeners.delete(id);
  }

  #hear(message: FromTunnel): void {
    if (message.t === 'read-cookies' || message.t === 'write-cookies') void this.#answerCookies(message);
    else if (message.t !== 'ready') this.#listeners.get(message.id)?.receive(message);
  }

  /** All pages of the app see the same cookies, so any window of it may be asked. A question that fails goes without. */
  async #answerCookies(question: CookieQuestion): Promise<void> {
    const reading =
      question.t === 'read-cookies'
        ? visibleCookies(self.location.origin + question.target, '')
        : mirrorCookies(question.lines, '').then(() => '');
    this.send({ t: 'cookies', id: question.id, text: await reading.catch(() => '') });
  }

  send(message: ToTunnel, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  /** Nothing will come any more: every exchange under way has failed. */
  lose(): void {
    this.#isLost = true;
    this.#port.close();
    for (const listener of this.#listeners.values()) listener.lost();
    this.#listeners.clear();
  }
}

/** One for each helper, and so for each tab. */
const ports = new Map<string, TunnelPort>();
/** Helpers whose end is heard of. */
const watched = new Set<string>();
const asking = new Map<string, Promise<TunnelPort | undefined>>();

/** The port of the client's own tab, or where that is none of another one. @throws NoTunnel */
export async function tunnelPort(client: string): Promise<TunnelPort> {
  const home = homeOf(client) ?? '';
  const known = ports.get(home);
  // Its helper's lock says when it is gone, so nobody is asked.
  if (known !== undefined && watched.has(home)) return known;
  const helpers = await helpersFor(client);
  dropAllBut(helpers);
  if (helpers.length === 0) throw new NoTunnel('no_shell');
  for (const helper of helpers) {
    const port = await portOf(helper);
    if (port !== undefined) return port;
  }
  throw new NoTunnel('no_answer');
}

function dropAllBut(helpers: readonly Client[]): void {
  const present = new Set(helpers.map(({ id }) => id));
  for (const helperId of ports.keys()) if (!present.has(helperId)) drop(helperId);
}

function drop(helperId: string): void {
  const port = ports.get(helperId);
  ports.delete(helperId);
  watched.delete(helperId);
  port?.lose();
}

/** @returns undefined when the helper does not answer: a frozen tab, so the next one is asked. */
async function portOf(helper: Client): Promise<TunnelPort | undefined> {
  const present = ports.get(helper.id);
  if (present !== undefined) return present;
  const under = asking.get(helper.id) ?? ask(helper).finally(() => asking.delete(helper.id));
  asking.set(helper.id, under);
  return under;
}

async function ask(helper: Client): Promise<TunnelPort | undefined> {
  const answer = await askOne(helper);
  if (answer === undefined) return undefined;
  const port = new TunnelPort(answer);
  ports.set(helper.id, port);
  return port;
}

/** A helper told the name of its lock, which it does with every port it passes on. */
export function watchHelper(helperId: string, lock: string): void {
  watched.add(helperId);
  whenReleased(lock, () => drop(helperId));
}

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
    handToShell(helper, port2, { kind: 'service-worker' });
  });
}

/**
 * Passes a page's own port (a WebSocket's) to the tab that holds the tunnel.
 * @param lock of the worker that it is from
 * @throws NoTunnel
 */
export async function passPort(port: MessagePort, client: string, lock: string | undefined): Promise<void> {
  // Over it the tunnel asks for the cookies that go with the handshake.
  await tunnelPort(client);
  const [helper] = await helpersFor(client);
  if (helper === undefined) throw new NoTunnel('no_shell');
  handToShell(helper, port, { kind: 'websocket', lock });
}

function handToShell(helper: Client, port: MessagePort, note: PortNote): void {
  helper.postMessage({ latchkey: 'need-port', ...note } satisfies ToHelper, [port]);
}
