/**
 * `WebSocket` for pages of an app: the browser's own would go past the service worker to the network, where nothing is.
 * Faithful to the WHATWG standard where a page can see it; another host than the app's own gets the browser's own.
 */
import type { WebSocketFromTunnel, WebSocketPort, WebSocketToTunnel } from '../app-messages.ts';

const Native = window.WebSocket;
const states = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 } as const;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const maxReasonBytes = 123;

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

  readonly #url: string;
  readonly #port: MessagePort;
  readonly #handlers = new Map<string, { set: unknown; listener: EventListener }>();
  #state: number = states.CONNECTING;
  #protocol = '';
  #binaryType: BinaryType = 'blob';
  #buffered = 0;

  constructor(url: string | URL, protocols: string | string[] = []) {
    super();
    const target = parseUrl(url);
    const wanted = typeof protocols === 'string' ? [protocols] : [...protocols];
    if (new Set(wanted).size !== wanted.length || wanted.some((name) => !token.test(name)))
      throw new DOMException('A subprotocol is malformed or named twice.', 'SyntaxError');
    this.#url = target.href;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = (event: MessageEvent<WebSocketFromTunnel>) => this.#receive(event.data);
    const controller = navigator.serviceWorker?.controller;
    if (controller == null) {
      queueMicrotask(() => this.#closed(1006, '', false));
      return;
    }
    controller.postMessage({ latchkey: 'websocket' } satisfies WebSocketPort, [port2]);
    this.#say({ t: 'connect', target: target.pathname + target.search, protocols: wanted });
  }

  get url(): string {
    return this.#url;
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

  send(data: string | ArrayBufferLike | Blob | ArrayBufferView): void {
    if (this.#state === states.CONNECTING) throw new DOMException('Still connecting.', 'InvalidStateError');
    if (data instanceof Blob) this.#sendBlob(data);
    else if (typeof data === 'string') this.#sendNow(data, new TextEncoder().encode(data).length);
    else if (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) {
      const copy = copyOf(data);
      this.#sendNow(copy, copy.byteLength);
    } else {
      const text = String(data);
      this.#sendNow(text, new TextEncoder().encode(text).length);
    }
  }

  close(code?: number, reason = ''): void {
    if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999))
      throw new DOMException('A close code is 1000 or from 3000 to 4999.', 'InvalidAccessError');
    if (new TextEncoder().encode(reason).length > maxReasonBytes)
      throw new DOMException('The reason is longer than 123 bytes.', 'SyntaxError');
    if (this.#state === states.CLOSING || this.#state === states.CLOSED) return;
    this.#state = states.CLOSING;
    this.#afterBlobs(() => this.#say({ t: 'close', code, reason }));
  }

  #blobs: Promise<void> = Promise.resolve();
  #blobsPending = 0;

  /** A blob is read asynchronously; what is sent after it waits, because order is part of the contract. */
  #sendBlob(blob: Blob): void {
    this.#buffered += blob.size;
    if (this.#state !== states.OPEN) return;
    this.#blobsPending += 1;
    this.#blobs = this.#blobs.then(async () => {
      this.#say({ t: 'send', data: await blob.arrayBuffer() });
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
        if (this.#state === states.OPEN || this.#state === states.CLOSING) this.#deliver(message.data);
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
    const data = typeof raw === 'string' || this.#binaryType === 'arraybuffer' ? raw : new Blob([raw]);
    this.dispatchEvent(new MessageEvent('message', { data, origin: new URL(this.#url).origin }));
  }

  #closed(code: number, reason: string, wasClean: boolean): void {
    if (this.#state === states.CLOSED) return;
    this.#state = states.CLOSED;
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

function parseUrl(url: string | URL): URL {
  let parsed: URL;
  try {
    parsed = new URL(url, document.baseURI);
  } catch {
    throw new DOMException('The address is malformed.', 'SyntaxError');
  }
  if (parsed.protocol === 'http:') parsed.protocol = 'ws:';
  if (parsed.protocol === 'https:') parsed.protocol = 'wss:';
  if ((parsed.protocol !== 'ws:' && parsed.protocol !== 'wss:') || parsed.hash !== '')
    throw new DOMException('A WebSocket address begins with ws: or wss: and has no fragment.', 'SyntaxError');
  return parsed;
}

function copyOf(data: ArrayBuffer | ArrayBufferView): ArrayBuffer {
  if (data instanceof ArrayBuffer) return data.slice(0);
  return new Uint8Array(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)).buffer;
}

/** The constructor that pages see: ours for the app's own host, the browser's for any other. */
export const WebSocketForApps = new Proxy(TunnelWebSocket, {
  construct(own, parameters: [string | URL, (string | string[])?], newTarget) {
    const isOwn = parseUrl(parameters[0]).host === location.host;
    return isOwn ? Reflect.construct(own, parameters, newTarget) : Reflect.construct(Native, parameters);
  },
});
