/** The `upload` of an XMLHttpRequest, which is told what the tunnel has taken, and of each end once (XMLHttpRequest, "send"). */

/** Progress is told at most so often, beside the end of it. */
const restMs = 50;
const { dispatchEvent } = EventTarget.prototype;
const ends = ['load', 'error', 'abort', 'timeout', 'loadend'] as const;

export class WatchedUpload {
  readonly #xhr: XMLHttpRequest;
  readonly #upload: XMLHttpRequestUpload;
  readonly #Event: typeof ProgressEvent;
  /** There while the browser's own events are heard. */
  #attention: AbortController | undefined;
  /** Of the request that is under way. */
  #port: MessagePort | undefined;
  #total = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  #endedBy: 'us' | 'the browser' | undefined;

  /** @param event the page's own kind of event. */
  constructor(xhr: XMLHttpRequest, upload: XMLHttpRequestUpload, event: typeof ProgressEvent) {
    this.#xhr = xhr;
    this.#upload = upload;
    this.#Event = event;
  }

  /** Hears the browser's own events from now on, before the page does: Chromium calls listeners in the order in which they came. */
  attend(): void {
    if (this.#attention !== undefined) return;
    this.#attention = new AbortController();
    const { signal } = this.#attention;
    // The browser knows how long the body is, and says so while it is sent off.
    this.#upload.addEventListener('loadstart', ({ total }) => this.#begun(total), { signal });
    for (const type of ends) this.#upload.addEventListener(type, (event) => this.#ended(event), { signal });
    this.#xhr.addEventListener('readystatechange', () => this.#changed(), { signal });
    this.#xhr.addEventListener('loadend', () => this.end(), { signal });
  }

  /** Of a request to another origin: whoever listens makes it one that asks for leave first. */
  leave(): void {
    this.#attention?.abort();
    this.#attention = undefined;
  }

  /** @returns where it is to be said how many bytes were taken. */
  begin(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#total = 0;
    this.#toldAt = Number.NEGATIVE_INFINITY;
    this.#endedBy = undefined;
    port1.onmessage = ({ data }: MessageEvent<number>) => this.#taken(data);
    return port2;
  }

  /** The request is over. */
  end(): void {
    this.#port?.close();
    this.#port = undefined;
  }

  #begun(total: number): void {
    this.#total = total;
  }

  /** To the browser it is under way until the answer comes, so what it says after the end is not so. */
  #ended(event: Event): void {
    if (this.#port === undefined || !event.isTrusted) return;
    if (this.#endedBy === 'us') event.stopImmediatePropagation();
    else this.#endedBy = 'the browser';
  }

  /** What was said last may come after the answer, of which Firefox makes the end itself. */
  #changed(): void {
    if (this.#xhr.readyState === XMLHttpRequest.HEADERS_RECEIVED) this.#whole();
  }

  #taken(bytes: number): void {
    if (bytes >= this.#total) this.#whole();
    else if (this.#endedBy === undefined && performance.now() - this.#toldAt >= restMs) {
      this.#toldAt = performance.now();
      this.#say('progress', bytes);
    }
  }

  #whole(): void {
    if (this.#port === undefined || this.#endedBy !== undefined || this.#total === 0) return;
    this.#endedBy = 'us';
    for (const type of ['progress', 'load', 'loadend']) this.#say(type, this.#total);
  }

  #say(type: string, loaded: number): void {
    dispatchEvent.call(this.#upload, new this.#Event(type, { lengthComputable: true, loaded, total: this.#total }));
  }
}
