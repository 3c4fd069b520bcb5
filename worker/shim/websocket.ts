/**
 * `WebSocket` for pages of an app: the browser's own would go past the service worker to the network, where nothing is.
 * Faithful to the WHATWG standard where a page can see it; another host than the app's own gets the browser's own.
 * What a page gives to it is judged in websocket-arguments.ts.
 */
import type { WebSocketFromTunnel, WebSocketPort, WebSocketToTunnel } from '../app-messages.ts';
import { bytesOf, copyOf, parseCloseCode, parseProtocols, parseReason, parseUrl } from './websocket-arguments.ts';

const Native = window.WebSocket;
const states = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 } as const;
const goingAway = 1001;
const abnormal = 1006;

type Handler<E extends Event> = ((this: WebSocket, event: E) => unknown) | null;

class TunnelWebSocket extends EventTarget {
  static readonly CONNECTING = states.CONNECTING;
  static readonly OPEN = states.OPEN;
  static readonly CLOSING = states.CLOSING;
  static readonly CLOSED = states.CLOSED;
  readonly CONNECTING = states.CONNECTING;
  readonly OPEN = states.OPEN;
  readonly CLOSING = states.CLOSING;
  readonly CLOSED = states.CLOSED;

  readonly #url: URL;
  readonly #port: MessagePort;
  readonly #handlers = new Map<string, { set: unknown; listener: EventListener }>();
  #state: number = states.CONNECTING;
  #protocol = '';
  #binaryType: BinaryType = 'blob';
  #buffered = 0;
  /** Messages leave in the order of `send`, and reading a Blob takes a while. */
  #blobs: Promise<void> = Promise.resolve();
  #blobsPending = 0;

  constructor(url: string | URL, protocols?: string | string[]) {
    super();
    this.#url = parseUrl(url);
    const wanted = parseProtocols(protocols);
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = (event: MessageEvent<WebSocketFromTunnel>) => this.#receive(event.data);
    const controller = navigator.serviceWorker?.controller;
    if (controller == null) {
      queueMicrotask(() => this.#closed(abnormal, '', false));
      return;
    }
    controller.postMessage({ latchkey: 'websocket' } satisfies WebSocketPort, [port2]);
    this.#say({ t: 'connect', target: this.#url.pathname + this.#url.search, protocols: wanted });
    window.addEventListener('pagehide', this.#leave);
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
    if (value === 'blob' || value === 'arraybuffer') this.#binaryType = value;
  }

  send(data: string | ArrayBufferLike | Blob | ArrayBufferView, ...more: never[]): void;
  send(...given: (string | ArrayBufferLike | Blob | ArrayBufferView)[]): void {
    if (given.length === 0) throw new TypeError('send needs something to send.');
    const [data] = given;
    if (this.#state === states.CONNECTING) throw new DOMException('Still connecting.', 'InvalidStateError');
    if (data instanceof Blob) this.#sendBlob(data);
    else if (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) {
      const copy = copyOf(data);
      this.#sendNow(copy, copy.byteLength);
    } else {
      const text = String(data);
      this.#sendNow(text, bytesOf(text));
    }
  }

  close(givenCode?: number, givenReason = ''): void {
    const code = parseCloseCode(givenCode);
    const reason = parseReason(givenReason);
    if (this.#state === states.CLOSING || this.#state === states.CLOSED) return;
    const wasConnecting = this.#state === states.CONNECTING;
    this.#state = states.CLOSING;
    this.#afterBlobs(() => this.#say({ t: 'close', code, reason }));
    // A connection that never stood has failed; whatever it might still become is of no interest.
    if (wasConnecting) setTimeout(() => this.#closed(abnormal, '', false));
  }

  #sendBlob(blob: Blob): void {
    this.#buffered += blob.size;
    if (this.#state !== states.OPEN) return;
    this.#blobsPending += 1;
    this.#blobs = this.#blobs.then(async () => {
      try {
        this.#say({ t: 'send', data: await blob.arrayBuffer() });
      } catch {
        // A file that was changed or removed since: the message is lost, so the connection is.
        this.#say({ t: 'close', code: undefined, reason: '' });
        this.#closed(abnormal, '', false);
      }
      this.#blobsPending -= 1;
    });
  }

  #sendNow(data: string | ArrayBuffer, bytes: number): void {
    this.#buffered += bytes;
    if (this.#state === states.OPEN) this.#afterBlobs(() => this.#say({ t: 'send', data }));
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
        if (this.#state !== states.CONNECTING) return;
        this.#state = states.OPEN;
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
    if (this.#state !== states.OPEN) return;
    const data = typeof raw === 'string' || this.#binaryType === 'arraybuffer' ? raw : new Blob([raw]);
    this.dispatchEvent(new MessageEvent('message', { data, origin: this.#url.origin }));
  }

  /** The page is left; a browser closes its WebSockets then with this code. */
  readonly #leave = (): void => {
    this.#say({ t: 'close', code: goingAway, reason: '' });
    this.#closed(abnormal, '', false);
  };

  #closed(code: number, reason: string, wasClean: boolean): void {
    if (this.#state === states.CLOSED) return;
    this.#state = states.CLOSED;
    window.removeEventListener('pagehide', this.#leave);
    this.#port.close();
    if (!wasClean) this.dispatchEvent(new Event('error'));
    this.dispatchEvent(new CloseEvent('close', { code, reason, wasClean }));
  }

  #handler(type: string): unknown {
    return this.#handlers.get(type)?.set ?? null;
  }

  #setHandler(type: string, value: unknown): void {
    const before = this.#handlers.get(type);
    if (typeof value !== 'function') {
      if (before !== undefined) this.removeEventListener(type, before.listener);
      this.#handlers.delete(type);
    } else if (before !== undefined) before.set = value;
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

  get onopen(): Handler<Event> {
    return this.#handler('open') as Handler<Event>;
  }
  set onopen(value: Handler<Event>) {
    this.#setHandler('open', value);
  }
  get onmessage(): Handler<MessageEvent> {
    return this.#handler('message') as Handler<MessageEvent>;
  }
  set onmessage(value: Handler<MessageEvent>) {
    this.#setHandler('message', value);
  }
  get onerror(): Handler<Event> {
    return this.#handler('error') as Handler<Event>;
  }
  set onerror(value: Handler<Event>) {
    this.#setHandler('error', value);
  }
  get onclose(): Handler<CloseEvent> {
    return this.#handler('close') as Handler<CloseEvent>;
  }
  set onclose(value: Handler<CloseEvent>) {
    this.#setHandler('close', value);
  }
}
Object.defineProperty(TunnelWebSocket, 'name', { value: 'WebSocket' });
Object.defineProperty(TunnelWebSocket.prototype, Symbol.toStringTag, { value: 'WebSocket', configurable: true });

/** The constructor that pages see: ours for the app's own host, the browser's for any other. */
export const WebSocketForApps = new Proxy(TunnelWebSocket, {
  construct(own, parameters: [] | [string | URL, (string | string[])?], newTarget) {
    if (parameters.length === 0) throw new TypeError('WebSocket needs an address.');
    const isOwn = parseUrl(parameters[0]).host === location.host;
    return isOwn ? Reflect.construct(own, parameters, newTarget) : Reflect.construct(Native, parameters);
  },
});
