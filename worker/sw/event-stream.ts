/**
 * Last-Event-ID of an EventSource that comes again: Chromium writes it below the service worker, out of its sight. So it
 * is read off the stream that broke (HTML, "server-sent events", interpreting an event stream) and told when the same
 * page asks for the same address next. A stream that its page closed is forgotten: what asks then is a new source.
 *
 * And a source comes again after a stream that broke off as after one that ended (HTML, "reestablish the connection"), but
 * to both browsers a body that a service worker breaks off was given up by the page, and the source is closed for good. So
 * one that broke off ends here. An event that was cut is none, so nothing is taken for whole that is not.
 */

/** Sources that wait to come again, in memory alone; a service worker that was stopped has them come from the start. */
const maxRemembered = 256;
const maxLineChars = 64 * 1024;

const left = new Map<string, string>();

export class EventStream {
  readonly #key: string;
  readonly #decoder = new TextDecoder();
  #line = '';
  #id: string | undefined;
  #lastId: string | undefined;

  private constructor(key: string) {
    this.#key = key;
    this.#lastId = left.get(key);
    left.delete(key);
  }

  /** @returns undefined for a request that no EventSource made. A fetch that asks for all of this is not told from one. */
  static of({ headers, cache, url }: Request, client: string): EventStream | undefined {
    const isSource = headers.get('accept') === 'text/event-stream' && cache === 'no-store';
    return isSource ? new EventStream(`${client} ${url}`) : undefined;
  }

  /** Whether an answer of these headers is one that a source listens to. */
  isAnsweredBy(headers: readonly (readonly [string, string])[]): boolean {
    return headers.some(([name, value]) => /^content-type$/i.test(name) && /^text\/event-stream\s*(;|$)/i.test(value));
  }

  /** What the source had last when it broke; empty for none. */
  get lastId(): string {
    return this.#lastId ?? '';
  }

  push(chunk: Uint8Array): void {
    const [...lines] = `${this.#line}${this.#decoder.decode(chunk, { stream: true })}`.split(/\r\n|\n|\r/);
    this.#line = (lines.pop() ?? '').slice(0, maxLineChars);
    for (const line of lines) this.#read(line);
  }

  /** @param isClosed by its page. */
  over(isClosed: boolean): void {
    if (isClosed || this.#lastId === undefined) return;
    left.set(this.#key, this.#lastId);
    for (const key of left.keys()) if (left.size > maxRemembered) left.delete(key);
  }

  #read(line: string): void {
    const id = /^id(?:: ?(.*))?$/.exec(line);
    if (id !== null && !id[1]?.includes('\0')) this.#id = id[1] ?? '';
    if (line === '' && this.#id !== undefined) this.#lastId = this.#id;
  }
}
