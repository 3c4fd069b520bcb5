/**
 * Asks a service for pages as its frame would, through the data plane, by the same header rules as anybody's requests,
 * as nobody: no identity, and a cookie jar that ends with the visit. Only GET, only this one service, and never beyond
 * one budget of pages, bytes and time: a probe is not a crawler.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { pairs } from '../bridge/heads.ts';
import type { UpstreamPool } from '../bridge/upstream-pool.ts';
import { canDecode, codingsOf, decode } from '../exchange/content-coding.ts';
import type { ExchangeContext } from '../exchange/context.ts';
import { type CookieRequest, ServiceJar } from '../exchange/cookie-jar.ts';
import { checkHeaders, firstOf, type Header, valuesOf } from '../exchange/headers.ts';
import { translateRequest } from '../exchange/request-rules.ts';
import { maxResponseHeadBytes, probeBudget } from '../limits.ts';

/** One answer of the service, its body cut where the budget ended. */
export interface Visit {
  readonly target: string;
  readonly status: number;
  readonly headers: readonly Header[];
  /** In lower case, without parameters. */
  readonly type: string;
  readonly text: string;
  readonly bytes: number;
}

export type Exhausted = 'pages' | 'bytes' | 'time';

export class Visitor {
  readonly #pool: UpstreamPool;
  readonly #signal: AbortSignal;
  readonly #jar = new ServiceJar();
  readonly #ownHosts: readonly string[];
  #pages = 0;
  #bytes = 0;
  #stopped: Exhausted | undefined;

  /** @param ownHosts names the service may set cookies for. @param signal ends everything, when the time is over. */
  constructor(pool: UpstreamPool, ownHosts: readonly string[], signal: AbortSignal) {
    this.#pool = pool;
    this.#ownHosts = ownHosts;
    this.#signal = signal;
  }

  /** What ended the visit before its end. */
  get stopped(): Exhausted | undefined {
    return this.#signal.aborted ? 'time' : this.#stopped;
  }

  /**
   * @param dest Sec-Fetch-Dest: `iframe` for a page, else what an element of the page loads.
   * @returns undefined when the budget is spent. @throws the connection's error.
   */
  async get(target: string, dest: string, context: ExchangeContext): Promise<Visit | undefined> {
    if (this.stopped !== undefined) return undefined;
    this.#pages += 1;
    if (this.#pages > probeBudget.pages) {
      this.#stopped = 'pages';
      return undefined;
    }
    const mode = dest === 'iframe' ? 'navigate' : 'no-cors';
    const facts: Header[] = [
      [':dest', dest],
      [':mode', mode],
      [':site', 'same-origin'],
    ];
    const { headers } = translateRequest({ method: 'GET', target, headers: [['accept', '*/*'], ...facts] }, context);
    const asked: CookieRequest = { method: 'GET', target, site: 'same-origin', mode, scriptCookies: undefined };
    const cookies = this.#jar.header(asked);
    const response = await this.#send(target, cookies === '' ? headers : [...headers, ['cookie', cookies]]);
    const received = checkHeaders(pairs(response.rawHeaders));
    this.#jar.store(valuesOf(received, 'set-cookie'), asked, this.#ownHosts);
    return this.#read(target, response, received);
  }

  #send(target: string, headers: readonly Header[]): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const client = httpRequest({
        agent: this.#pool.agent,
        path: target,
        headers: headers.flat(),
        maxHeaderSize: maxResponseHeadBytes,
        signal: this.#signal,
      });
      client.once('response', resolve).once('error', reject);
      client.once('upgrade', (_response, socket) => socket.destroy());
      client.end();
    });
  }

  async #read(target: string, response: IncomingMessage, headers: readonly Header[]): Promise<Visit> {
    const type = (firstOf(headers, 'content-type') ?? '').replace(/;.*$/s, '').trim().toLowerCase();
    const parts: Uint8Array[] = [];
    let bytes = 0;
    // An event stream never ends, and what is no text tells nothing.
    if (isText(type)) {
      const codings = codingsOf(headers);
      const body = codings.length > 0 && canDecode(codings) ? decode(response, codings) : response;
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        parts.push(chunk);
        bytes += chunk.length;
        this.#bytes += chunk.length;
        if (this.#bytes > probeBudget.bytes) {
          this.#stopped = 'bytes';
          break;
        }
      }
    }
    response.destroy();
    return {
      target,
      status: response.statusCode ?? 0,
      headers,
      type,
      text: Buffer.concat(parts).toString('latin1'),
      bytes,
    };
  }
}

const isText = (type: string): boolean => /^text\/(?!event-stream)|javascript|json|\+xml|manifest/.test(type);
