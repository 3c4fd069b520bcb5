/**
 * `WebSocket` for pages and workers of an app: the browser's own would go past the service worker to the network, where
 * nothing is. The interface object, its prototype and constants stay the browser's; what a page calls on a socket of ours
 * is answered here, on any other by the browser. So `instanceof`, feature detection and subclasses see nothing new.
 * What a page gives to it is judged in websocket-arguments.ts.
 */

import { connectPath, type WebSocketFromTunnel, type WebSocketToTunnel } from '../app-messages.ts';
import { apply, construct, defineProperty, dropUnusable, getOwnPropertyDescriptor } from './realm.ts';
import { handOver } from './way.ts';
import { bytesOf, copyOf, parseCloseCode, parseProtocols, parseReason, parseUrl } from './websocket-arguments.ts';

const Native = WebSocket;
// A page may put its own in place later.
const nativeFetch = fetch;
/** `readyState`. */
const connecting = 0;
const open = 1;
const closing = 2;
const closed = 3;
/** A sandboxed page has none. */
const ownHost = URL.parse(origin)?.host;

class TunnelWebSocket extends EventTarget {
  readonly #url: URL;
  readonly #port: MessagePort;
  readonly #handlers = new Map<string, { set: unknown; listener: EventListener }>();
  #state: number = connecting;
  #breaksQuietly = false;
  #protocol = '';
  #binaryType: BinaryType = 'blob';
  #buffered = 0;
  /** Messages leave in the order of `send`, and reading a Blob takes a while. */
  #blobs: Promise<void> = Promise.resolve();
  #blobsPending = 0;

  constructor(url: URL, protocols: string[]) {
    super();
    this.#url = url;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = (event: MessageEvent<WebSocketFromTunnel>) => this.#receive(event.data);
    void this.#connect(protocols, port2);
    addEventListener('pagehide', this.#leave);
  }

  static isOurs(value: unknown): value is TunnelWebSocket {
    return #state in Object(value);
  }

  async #connect(protocols: string[], port: MessagePort): Promise<void> {
    try {
      // The page's `connect-src` judges this address of the same host, which the service worker answers itself.
      await nativeFetch(new URL(connectPath, origin), { credentials: 'omit' });
      if (this.#state !== connecting) return;
      handOver(port);
      this.#say({ t: 'connect', target: this.#url.pathname + this.#url.search, protocols });
    } catch {
      this.#closed();
    }
  }

  get url(): string {
    return this.#url.href;
  }
  get readyState(): number {
    return this.#state;
  }
  get protocol(): string {
    return this.#protocol;
  }
  get extensions(): string {
    return '';
  }
  get bufferedAmount(): number {
    return this.#buffered;
  }
  get binaryType(): BinaryType {
    return this.#binaryType;
  }
  set binaryType(value: BinaryType) {
    const name = String(value);
    if (name === 'blob' || name === 'arraybuffer') this.#binaryType = name;
  }

  send(...given: unknown[]): void {
    if (given.length === 0) throw new TypeError('No data.');
    const [data] = given;
    if (this.#state === connecting) throw new DOMException('Connecting.', 'InvalidStateError');
    if (data instanceof Blob) this.#sendBlob(data);
    else if (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) {
      const copy = copyOf(data);
      this.#sendNow(copy, copy.byteLength);
    } else {
      const text = String(data).toWellFormed();
      this.#sendNow(text, bytesOf(text));
    }
  }

  close(givenCode?: unknown, givenReason: unknown = ''): void {
    const code = parseCloseCode(givenCode);
    const reason = parseReason(givenReason);
    if (this.#state > open) return;
    const wasConnecting = this.#state === connecting;
    this.#state = closing;
    this.#afterBlobs(() => this.#say({ t: 'close', code, reason }));
    // A connection that never stood has failed; whatever it might still become is of no interest.
    if (wasConnecting) setTimeout(() => this.#closed());
  }

  #sendBlob(blob: Blob): void {
    this.#buffered += blob.size;
    if (this.#state !== open) return;
    this.#blobsPending += 1;
    this.#blobs = this.#blobs.then(async () => {
      try {
        this.#say({ t: 'send', data: await blob.arrayBuffer() });
      } catch {
        // A file that was changed or removed since: the message is lost, so the connection is.
        this.#say({ t: 'close', code: undefined, reason: '' });
        this.#breaksQuietly = false;
        this.#closed();
      }
      this.#blobsPending -= 1;
    });
  }

  #sendNow(data: string | ArrayBuffer, bytes: number): void {
    this.#buffered += bytes;
    if (this.#state === open) this.#afterBlobs(() => this.#say({ t: 'send', data }));
  }

  #afterBlobs(run: () => void): void {
    if (this.#blobsPending === 0) run();
    else this.#blobs = this.#blobs.then(run);
  }

  #say(message: WebSocketToTunnel): void {
    this.#port.postMessage(message);
  }

  #receive(message: WebSocketFromTunnel): void {
    switch (message.t) {
      case 'open':
        if (this.#state !== connecting) return;
        this.#state = open;
        this.#breaksQuietly = true;
        this.#protocol = message.protocol;
        this.dispatchEvent(new Event('open'));
        break;
      case 'message':
        this.#deliver(message.data);
        break;
      case 'sent':
        this.#buffered = Math.max(0, this.#buffered - message.bytes);
        break;
      case 'closed':
        this.#closed(message.code, message.reason, message.clean);
        break;
      default:
        message satisfies never;
    }
  }

  #deliver(raw: string | ArrayBuffer): void {
    this.#say({ t: 'taken', bytes: typeof raw === 'string' ? raw.length : raw.byteLength });
    if (this.#state !== open) return;
    const data = typeof raw === 'string' || this.#binaryType === 'arraybuffer' ? raw : new Blob([raw]);
    this.dispatchEvent(new MessageEvent('message', { data, origin: this.#url.origin }));
  }

  /** The page is left; a browser closes its WebSockets then as going away. Only a page that may come back hears of it. */
  readonly #leave = ({ persisted }: PageTransitionEvent): void => {
    this.#say({ t: 'close', code: 1001, reason: '' });
    if (persisted === false) this.#state = closed;
    else this.#closed();
  };

  /** By itself as a connection that broke (RFC 6455 section 7.1.5). */
  #closed(code = 1006, reason = '', wasClean = false): void {
    if (this.#state === closed) return;
    this.#state = closed;
    removeEventListener('pagehide', this.#leave);
    this.#port.close();
    // A connection that breaks after it stood has not failed (WebSockets standard, "when the connection is closed").
    if (!wasClean && !this.#breaksQuietly) this.dispatchEvent(new Event('error'));
    this.dispatchEvent(new CloseEvent('close', { code, reason, wasClean }));
  }

  #setHandler(type: string, value: unknown): void {
    const before = this.#handlers.get(type);
    if (typeof value !== 'function') {
      if (before) this.removeEventListener(type, before.listener);
      this.#handlers.delete(type);
    } else if (before) before.set = value;
    else {
      // The listener keeps its place in the order when the handler is replaced, as the standard has it.
      const entry = {
        set: value as unknown,
        listener: (event: Event) => (entry.set as EventListener).call(this, event),
      };
      this.#handlers.set(type, entry);
      this.addEventListener(type, entry.listener);
    }
  }

  static {
    for (const type of ['open', 'message', 'error', 'close'])
      defineProperty(TunnelWebSocket.prototype, `on${type}`, {
        get(this: TunnelWebSocket) {
          return this.#handlers.get(type)?.set ?? null;
        },
        set(this: TunnelWebSocket, value: unknown) {
          this.#setHandler(type, value);
        },
      });
  }
}

type Method = (...given: unknown[]) => unknown;

/** The browser's function still, to look at; on a socket of ours it runs `own`. */
function branch(native: Method, own: Method): Method {
  return new Proxy(native, {
    apply: (target, self, given) => apply(TunnelWebSocket.isOurs(self) ? own : target, self, given),
  });
}

/** Each member of the browser's prototype learns of our sockets. */
function teach(prototype: object): void {
  for (const [name, own] of Object.entries(Object.getOwnPropertyDescriptors(TunnelWebSocket.prototype))) {
    const native = getOwnPropertyDescriptor(prototype, name);
    if (name === 'constructor' || !native) continue;
    const taught = { ...native };
    for (const part of ['get', 'set', 'value'] as const)
      if (native[part] && own[part]) taught[part] = branch(native[part] as Method, own[part] as Method);
    defineProperty(prototype, name, taught);
  }
}

/** The constructor that pages see: ours for the app's own host, the browser's for any other. */
export const WebSocketForApps = new Proxy(Native, {
  construct(native, given: unknown[], newTarget) {
    if (given.length === 0) return construct(native, given, newTarget);
    const url = parseUrl(given[0] as string);
    const protocols = parseProtocols(given[1]);
    if (url.host !== ownHost) return construct(native, given, newTarget);
    return Object.setPrototypeOf(new TunnelWebSocket(url, protocols), newTarget.prototype);
  },
});

/** Puts it in place; once in a realm. */
export function routeWebSockets(): void {
  teach(Native.prototype);
  Native.prototype.constructor = WebSocketForApps;
  defineProperty(self, 'WebSocket', { value: WebSocketForApps });
  dropUnusable(self);
}
