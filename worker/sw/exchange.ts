/**
 * One request of a page, carried to the tunnel's Worker and back as a Response. The service worker only routes:
 * it keeps nothing, caches nothing and decides nothing.
 */
import { cookiesHeader, type FromExchange, type RequestMessage } from '../app-messages.ts';
import { declaredLength } from '../content-length.ts';
import { labelOf } from '../origins.ts';
import { type Body, bodyOf } from './body.ts';
import { mirrorCookies, tellCookies, toldCookies, visibleCookies } from './cookies.ts';
import { Download } from './download.ts';
import { EventStream } from './event-stream.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import { loginOf, withoutLogin } from './login.ts';
import type { Site } from './site.ts';
import { type TunnelPort, tunnelPort } from './tunnel-port.ts';
import { Upload } from './upload.ts';
import { progressOf, type UploadProgress } from './upload-progress.ts';

/** The tunnel could not bring an answer. The code is the gateway's, or the tunnel's own. */
export class ExchangeError extends Error {
  readonly code: string;
  readonly correlation: string;
  constructor(code: string, correlation = '') {
    super(`exchange: ${code}`);
    this.name = 'ExchangeError';
    this.code = code;
    this.correlation = correlation;
  }
}

type Head = Extract<FromExchange, { t: 'head' }>;

const nullBodyStatus = new Set([101, 103, 204, 205, 304]);
/** The tab that held the tunnel was closed before it answered; another one may hold the same app. */
const tabGone = 'tab_gone';

/**
 * @param client whose request it is: it goes through the tab of that page.
 * @returns the service's response, its body still arriving.
 * @throws ExchangeError or NoTunnel when there is none.
 */
export async function exchange(request: Request, site: Site, client: string): Promise<Response> {
  try {
    return await once(request, site, client);
  } catch (error) {
    const isRepeatable = request.method === 'GET' || request.method === 'HEAD';
    if (isRepeatable && error instanceof ExchangeError && error.code === tabGone) return once(request, site, client);
    throw error;
  }
}

async function once(request: Request, site: Site, client: string): Promise<Response> {
  // First of all, since it may take long: what else is asked for is as it is when the request is sent.
  const body = await bodyOf(request);
  if (request.signal.aborted) throw new ExchangeError('cancelled');
  const told = toldCookies(request);
  const hasCookies = callOf(request) === undefined && !isAnonymous(request);
  const [port, cookies] = await Promise.all([
    tunnelPort(client),
    hasCookies ? (told ?? visibleCookies(request.url, client)) : '',
  ]);
  const run = new Exchange(port, request, client);
  const head = await run.start(cookies, site, body);
  // Script-visible cookies are true before the page sees the response that set them. One that waits writes them itself.
  const lines = isAnonymous(request) ? [] : head.setCookies;
  const isForWaiting = told !== undefined && !isRedirect(head);
  if (told === undefined) await mirrorCookies(lines, client);
  else if (!isForWaiting) mirrorCookies(lines, client).catch(() => undefined);
  try {
    // The browser would take the header that told them along.
    if (told !== undefined && leadsAway(head, request.url)) throw new ExchangeError('redirect');
    const response = run.response(head);
    if (isForWaiting) response.headers.set(cookiesHeader, tellCookies(lines));
    return response;
  } catch (error) {
    // A status or header that no Response can have.
    run.cancel();
    throw error;
  }
}

const isRedirect = ({ status }: Head): boolean => status >= 300 && status < 400;

/** To another origin. */
function leadsAway(head: Head, from: string): boolean {
  const location = head.headers.find(([name]) => name.toLowerCase() === 'location')?.[1];
  if (!isRedirect(head) || location === undefined) return false;
  return URL.parse(location, from)?.origin !== self.location.origin;
}

/** Path and query as they are written: a URL's `search` does not tell an empty query from none. */
function targetOf(url: string): string {
  return withoutLogin(url).slice(new URL(url).origin.length).replace(/#.*$/s, '');
}

function isAnonymous({ credentials }: Request): boolean {
  return credentials === 'omit';
}

/** The other app that a page calls; undefined for a request to the page's own. */
function callOf({ url, credentials }: Request): RequestMessage['call'] {
  const { origin, hostname } = new URL(url);
  if (origin === self.location.origin) return undefined;
  return { service: labelOf({ protocol: '', host: hostname }), credentials: credentials === 'include' };
}

class Exchange {
  readonly #port: TunnelPort;
  readonly #request: Request;
  readonly #client: string;
  readonly #id: number;
  readonly #head = Promise.withResolvers<Head>();
  readonly #upload: Upload;
  readonly #progress: UploadProgress | undefined;
  readonly #download: Download;
  readonly #events: EventStream | undefined;
  readonly #abort = () => this.cancel();
  #isOver = false;

  constructor(port: TunnelPort, request: Request, client: string) {
    this.#events = EventStream.of(request, client);
    this.#port = port;
    this.#request = request;
    this.#client = client;
    this.#progress = progressOf(request);
    this.#id = port.begin({
      receive: (message) => this.#receive(message),
      lost: () => this.#fail(new ExchangeError(tabGone)),
    });
    const id = this.#id;
    this.#upload = new Upload((chunk) => port.send({ t: 'body', id, chunk }, [chunk.buffer as ArrayBuffer]));
    this.#download = new Download((bytes) => port.send({ t: 'credit', id, bytes }), this.#abort);
    request.signal.addEventListener('abort', this.#abort, { once: true });
  }

  start(cookies: string, site: Site, body: Body | undefined): Promise<Head> {
    const request = this.#request;
    const [call, login] = [callOf(request), loginOf(request.url)];
    this.#port.send({
      t: 'request',
      id: this.#id,
      method: request.method,
      target: targetOf(request.url),
      headers: requestHeaders(request, {
        client: this.#client,
        length: body?.length,
        lastEventId: this.#events?.lastId,
      }),
      hasBody: body !== undefined,
      dest: request.destination === '' ? 'empty' : request.destination,
      mode: request.mode,
      site,
      cookies,
      ...(call === undefined ? {} : { call }),
      ...(login === undefined ? {} : { login }),
      ...(isAnonymous(request) ? { anonymous: true } : {}),
    });
    if (body !== undefined) this.#sendBody(body).catch(this.#abort);
    return this.#head.promise;
  }

  response(head: Head): Response {
    const { headers, decode } = responseHeaders(head.headers, this.#request.mode === 'navigate');
    const init = { status: head.status, statusText: head.reason, headers };
    if (nullBodyStatus.has(head.status) || this.#request.method === 'HEAD') return new Response(null, init);
    const body = this.#download.stream;
    return new Response(decode === undefined ? body : body.pipeThrough(decode), init);
  }

  async #sendBody({ stream }: Body): Promise<void> {
    if (!(await this.#upload.run(stream))) return;
    this.#port.send({ t: 'body-end', id: this.#id, length: this.#upload.length });
  }

  #receive(message: FromExchange): void {
    switch (message.t) {
      case 'head':
        this.#download.mayBreakOff = this.#events?.isAnsweredBy(message.headers) ?? false;
        this.#download.expected = declaredLength(message.headers);
        this.#head.resolve(message);
        break;
      case 'chunk':
        this.#events?.push(message.chunk);
        this.#download.push(message.chunk);
        break;
      case 'end':
        this.#over(false);
        this.#download.end(message.length);
        break;
      case 'error':
        this.#fail(new ExchangeError(message.code, message.correlation));
        break;
      case 'credit':
        this.#upload.credit(message.bytes);
        this.#progress?.tell(message.bytes);
        break;
      default:
        message satisfies never;
    }
  }

  /** Before the head it is the exchange's error, after it the body's. */
  #fail(error: ExchangeError): void {
    this.#over(error.code === 'cancelled');
    this.#head.reject(error);
    this.#download.fail();
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#port.send({ t: 'cancel', id: this.#id });
    this.#fail(new ExchangeError('cancelled'));
  }

  /** @param isCancelled by the page. */
  #over(isCancelled: boolean): void {
    this.#isOver = true;
    this.#progress?.end();
    this.#events?.over(isCancelled);
    this.#upload.stop();
    this.#port.forget(this.#id);
    this.#request.signal.removeEventListener('abort', this.#abort);
  }
}
