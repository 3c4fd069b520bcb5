/**
 * One request of a page, carried to the tunnel's Worker and back as a Response. The service worker only routes:
 * it keeps nothing, caches nothing and decides nothing.
 */
import { type FromTunnel, firstCreditBytes } from '../app-messages.ts';
import { mirrorCookies, visibleCookies } from './cookies.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import { type TunnelPort, tunnelPort } from './tunnel-port.ts';

/** The tunnel could not bring an answer. The code is the gateway's, or the tunnel's own. */
export class ExchangeError extends Error {
  readonly code: string;
  readonly correlation: string;
  constructor(code: string, correlation: string) {
    super(`exchange: ${code}`);
    this.name = 'ExchangeError';
    this.code = code;
    this.correlation = correlation;
  }
}

type Head = Extract<FromTunnel, { t: 'head' }>;

const nullBodyStatus = new Set([101, 103, 204, 205, 304]);

/**
 * @returns the service's response, its body still arriving.
 * @throws ExchangeError or NoTunnel when there is none.
 */
export async function exchange(request: Request): Promise<Response> {
  const [port, cookies] = await Promise.all([tunnelPort(), visibleCookies()]);
  const run = new Exchange(port, request);
  const head = await run.start(cookies);
  // Script-visible cookies are true before the page sees the response that set them.
  await mirrorCookies(head.setCookies);
  return run.response(head);
}

class Exchange {
  readonly #port: TunnelPort;
  readonly #request: Request;
  readonly #id: number;
  readonly #head = Promise.withResolvers<Head>();
  #download: ReadableStreamDefaultController<Uint8Array> | undefined;
  #early: Uint8Array[] = [];
  #finished = false;
  #uncredited = 0;
  #uploadCredit = firstCreditBytes;
  #creditArrived: (() => void) | undefined;

  constructor(port: TunnelPort, request: Request) {
    this.#port = port;
    this.#request = request;
    this.#id = port.begin((message) => this.#receive(message));
    request.signal.addEventListener('abort', () => this.#cancel(), { once: true });
  }

  start(cookies: string): Promise<Head> {
    const request = this.#request;
    const url = new URL(request.url);
    const hasBody = request.body !== null && request.method !== 'GET' && request.method !== 'HEAD';
    this.#port.send({
      t: 'request',
      id: this.#id,
      method: request.method,
      target: url.pathname + url.search,
      headers: requestHeaders(request),
      hasBody: hasBody || mayHideBody(request),
      dest: request.destination === '' ? 'empty' : request.destination,
      mode: request.mode,
      site: 'same-origin',
      cookies,
    });
    if (hasBody || mayHideBody(request)) this.#upload().catch(() => this.#cancel());
    return this.#head.promise;
  }

  response(head: Head): Response {
    const { headers, decode } = responseHeaders(head.headers);
    const init = { status: head.status, headers };
    if (nullBodyStatus.has(head.status) || this.#request.method === 'HEAD') return new Response(null, init);
    const body = this.#body();
    return new Response(decode === undefined ? body : body.pipeThrough(decode), init);
  }

  #body(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream(
      {
        start: (controller) => {
          this.#download = controller;
          for (const chunk of this.#early.splice(0)) this.#enqueue(chunk);
          if (this.#finished) controller.close();
        },
        // Called when the page has taken enough: what was delivered may be sent again.
        pull: () => {
          if (this.#uncredited === 0 || this.#finished) return;
          this.#port.send({ t: 'credit', id: this.#id, bytes: this.#uncredited });
          this.#uncredited = 0;
        },
        cancel: () => this.#cancel(),
      },
      { highWaterMark: firstCreditBytes, size: (chunk) => chunk?.byteLength ?? 0 },
    );
  }

  #receive(message: Exclude<FromTunnel, { t: 'ready' }>): void {
    switch (message.t) {
      case 'head':
        this.#head.resolve(message);
        break;
      case 'chunk':
        if (this.#download === undefined) this.#early.push(message.chunk);
        else this.#enqueue(message.chunk);
        break;
      case 'end':
        this.#end();
        this.#download?.close();
        break;
      case 'error':
        this.#end();
        this.#head.reject(new ExchangeError(message.code, message.correlation));
        // An error, never an end: a cut body must not look like a whole one.
        this.#download?.error(new TypeError('network error'));
        break;
      case 'credit':
        this.#uploadCredit += message.bytes;
        this.#creditArrived?.();
        break;
      default:
        message satisfies never;
    }
  }

  #enqueue(chunk: Uint8Array): void {
    this.#uncredited += chunk.byteLength;
    this.#download?.enqueue(chunk);
  }

  async #upload(): Promise<void> {
    const reader = await bodyReader(this.#request);
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.#finished) break;
      await this.#sendBody(value);
    }
    if (this.#finished) await reader.cancel();
    else this.#port.send({ t: 'body-end', id: this.#id });
  }

  async #sendBody(value: Uint8Array): Promise<void> {
    while (this.#uploadCredit <= 0 && !this.#finished) {
      await new Promise<void>((resolve) => {
        this.#creditArrived = resolve;
      });
    }
    if (this.#finished) return;
    this.#uploadCredit -= value.byteLength;
    this.#port.send({ t: 'body', id: this.#id, chunk: value }, [value.buffer]);
  }

  #cancel(): void {
    if (this.#finished) return;
    this.#port.send({ t: 'cancel', id: this.#id });
    this.#head.reject(new ExchangeError('cancelled', ''));
    this.#end();
  }

  #end(): void {
    this.#finished = true;
    this.#creditArrived?.();
    this.#port.forget(this.#id);
  }
}

/** Firefox's service worker has no `Request.body`: whether there is one is known only by reading it. */
function mayHideBody(request: Request): boolean {
  return request.body === undefined && request.method !== 'GET' && request.method !== 'HEAD';
}

async function bodyReader(request: Request): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  const stream = request.body ?? new Blob([await request.arrayBuffer()]).stream();
  return stream.getReader();
}
