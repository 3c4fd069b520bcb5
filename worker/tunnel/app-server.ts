/**
 * Serves the ports of an app's origin: one of its service worker, one of each WebSocket of its pages. What comes over
 * them is not trusted: it can ask for exchanges with the one service of this tunnel and for nothing else.
 */
import type { Clock } from '../../protocol/clock.ts';
import type { FromTunnel, PortNote } from '../app-messages.ts';
import { readToTunnel, readWebSocketMessage } from './app-input.ts';
import { HttpExchange } from './http-exchange.ts';
import { PageCookies } from './page-cookies.ts';
import type { TunnelUse } from './tunnel-use.ts';
import { WebSocketExchange } from './websocket-exchange.ts';

export class AppServer {
  readonly #use: TunnelUse;
  readonly #cookies: PageCookies;
  #serviceWorker: ServiceWorkerPort | undefined;
  /** The open WebSockets of the app's workers, by the worker's lock. */
  readonly #ofWorkers = new Map<string, Set<WebSocketExchange>>();

  constructor(use: TunnelUse, clock: Clock) {
    this.#use = use;
    this.#cookies = new PageCookies(clock);
  }

  serve(port: MessagePort, { kind, lock }: PortNote): void {
    if (kind === 'websocket') this.#serveWebSocket(port, lock);
    else {
      // It asks for a port only when it has none: it was stopped and started, and nobody hears the old one any more.
      this.#serviceWorker?.close();
      this.#serviceWorker = new ServiceWorkerPort(port, this.#use, this.#cookies);
    }
  }

  /** A worker that is ended says nothing, and not every browser tells the other end of a port that its own is gone. */
  workerGone(lock: string): void {
    for (const exchange of this.#ofWorkers.get(lock) ?? []) exchange.leave();
  }

  #serveWebSocket(port: MessagePort, lock: string | undefined): void {
    const exchange = serveWebSocket(port, this.#use, this.#cookies);
    if (lock === undefined) return;
    const others = this.#ofWorkers.get(lock) ?? new Set();
    this.#ofWorkers.set(lock, others.add(exchange));
    void exchange.over.then(() => {
      others.delete(exchange);
      if (others.size === 0) this.#ofWorkers.delete(lock);
    });
  }
}

class ServiceWorkerPort {
  readonly #port: MessagePort;
  readonly #use: TunnelUse;
  readonly #cookies: PageCookies;
  readonly #exchanges = new Map<number, HttpExchange>();

  constructor(port: MessagePort, use: TunnelUse, cookies: PageCookies) {
    this.#port = port;
    this.#use = use;
    this.#cookies = cookies;
    cookies.askBy((question) => this.#say(question));
    port.onmessage = (event: MessageEvent<unknown>) => this.#hear(event.data);
    this.#say({ t: 'ready' });
  }

  close(): void {
    this.#port.onmessage = null;
    this.#port.close();
    for (const exchange of this.#exchanges.values()) exchange.take({ t: 'cancel', id: 0 });
  }

  #hear(data: unknown): void {
    const message = readToTunnel(data);
    if (message === undefined) return;
    const exchange = this.#exchanges.get(message.id);
    if (message.t === 'cookies') this.#cookies.take(message);
    else if (message.t !== 'request') exchange?.take(message);
    else if (exchange === undefined) {
      const begun = new HttpExchange(message, this.#use, (answer, transfer) => this.#say(answer, transfer));
      this.#exchanges.set(message.id, begun);
      void begun.run().finally(() => this.#exchanges.delete(message.id));
    }
  }

  #say(message: FromTunnel, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}

function serveWebSocket(port: MessagePort, use: TunnelUse, cookies: PageCookies): WebSocketExchange {
  const exchange = new WebSocketExchange(port, use, cookies);
  // Of a page that crashed, where a browser tells.
  port.addEventListener('close', () => exchange.leave());
  port.onmessage = (event: MessageEvent<unknown>) => {
    const message = readWebSocketMessage(event.data);
    if (message !== undefined) exchange.take(message);
  };
  return exchange;
}
