/** The `upload` of an XMLHttpRequest, which is told what the tunnel has taken, and of each end once (XMLHttpRequest, "send"). */

/** Progress is told at most so often, beside the end of it. */
const restMs = 50;
// Those of this realm: a page's own may be another's, as zone.js has it.
const { addEventListener, dispatchEvent } = EventTarget.prototype;
const ends = ['load', 'error', 'abort', 'timeout', 'loadend'] as const;

export class WatchedUpload {
  readonly #xhr: XMLHttpRequest;
  readonly #upload: XMLHttpRequestUpload;
  readonly #Event: typeof ProgressEvent;
  /** There while the browser's own events are heard. */
  #attention: AbortController | undefined;
  /** Of the request that is under way. */
  #port: MessagePort | undefined;
  /** Of the body; undefined until the browser has said it. */
  #total: number | undefined;
  #told = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  #endedBy: 'us' | 'the browser' | undefined;

  /** @param event the page's own kind of event. */
  constructor(xhr: XMLHttpRequest, upload: XMLHttpRequestUpload, event: typeof ProgressEvent) {
    this.#xhr = xhr;
    this.#upload = upload;
    this.#Event = event;
  }

  /** Hears the browser's own events from now on, before the page does, whenever it began to listen: capturing. */
  attend(): void {
    if (this.#attention !== undefined) return;
    this.#attention = new AbortController();
    const options = { signal: this.#attention.signal, capture: true };
    const hear = (target: EventTarget, type: string, listener: (event: Event) => void): void =>
      addEventListener.call(target, type, listener, options);
    // The browser knows how long the body is, and says so while it is sent off.
    hear(this.#upload, 'loadstart', (event) => this.#begun((event as ProgressEvent).total));
    for (const type of ends) hear(this.#upload, type, (event) => this.#ended(event));
    hear(this.#xhr, 'readystatechange', () => this.#changed());
    hear(this.#xhr, 'loadend', () => this.#isDone() && this.end());
  }

  /** Of a request to another origin: whoever listens makes it one that asks for leave first. */
  leave(): void {
    this.#attention?.abort();
    this.#attention = undefined;
  }

  /** @param channel the page's own, which goes with it. @returns where it is to be said how many bytes were taken. */
  begin({ port1, port2 }: MessageChannel): MessagePort {
    this.#port = port1;
    this.#total = undefined;
    this.#told = 0;
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

  /** Not so once a listener has opened the object again: then the port is the next request's. */
  #isDone(): boolean {
    return this.#xhr.readyState === XMLHttpRequest.DONE;
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
    if (this.#total === undefined) return;
    if (bytes >= this.#total) this.#whole();
    // A redirect within the origin sends it from its start again.
    else if (bytes > this.#told && this.#endedBy === undefined && performance.now() - this.#toldAt >= restMs) {
      this.#toldAt = performance.now();
      this.#told = bytes;
      this.#say('progress', bytes, this.#total);
    }
  }

  #whole(): void {
    const [total, port] = [this.#total, this.#port];
    if (port === undefined || this.#endedBy !== undefined || total === undefined) return;
    this.#endedBy = 'us';
    for (const type of ['progress', 'load', 'loadend']) this.#say(type, total, total);
  }

  #say(type: string, loaded: number, total: number): void {
    dispatchEvent.call(this.#upload, new this.#Event(type, { lengthComputable: total > 0, loaded, total }));
  }
}
