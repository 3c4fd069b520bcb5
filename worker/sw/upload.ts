/** The body of a request, sent under credit in chunks. */
import { firstCreditBytes, maxChunkBytes } from '../app-messages.ts';

/** What a page gives to be sent. */
export interface Body {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Undefined where it is not known before the end. */
  readonly length: number | undefined;
}

/**
 * Many services understand no body whose length is not said first, and a browser does not show what it would say. So the body
 * is had as a Blob: Chromium makes one of a form with its files and of text without reading them, and keeps what is large in a
 * file, as Firefox does, whose service worker has no `Request.body`. What has no type may be a stream that the page still
 * writes, and in Chromium is sent as it comes.
 * @returns undefined where there is none. Rejects when the page's body breaks off.
 */
export async function bodyOf(request: Request): Promise<Body | undefined> {
  if (!hasBody(request)) return undefined;
  if (request.body && !request.headers.has('content-type')) return { stream: request.body, length: undefined };
  const blob = await request.blob();
  return blob.size === 0 ? undefined : { stream: blob.stream(), length: blob.size };
}

export class Upload {
  readonly #send: (chunk: Uint8Array) => void;
  #credit = firstCreditBytes;
  #isStopped = false;
  /** Bytes sent so far. */
  length = 0;
  #wake: (() => void) | undefined;

  /** @param send transfers the chunk. */
  constructor(send: (chunk: Uint8Array) => void) {
    this.#send = send;
  }

  credit(bytes: number): void {
    this.#credit += bytes;
    this.#wake?.();
  }

  stop(): void {
    this.#isStopped = true;
    this.#wake?.();
  }

  /** @returns true when all of it was sent; false when it was stopped. Rejects when the page's body breaks off. */
  async run(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<boolean> {
    const reader = stream.getReader();
    for (let next = await reader.read(); !next.done && !this.#isStopped; next = await reader.read())
      await this.#sendAll(next.value);
    if (this.#isStopped) await reader.cancel();
    return !this.#isStopped;
  }

  async #sendAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength && !this.#isStopped; at += maxChunkBytes) {
      await this.#untilCredit();
      if (this.#isStopped) return;
      const isWhole = bytes.byteLength <= maxChunkBytes && bytes.byteLength === bytes.buffer.byteLength;
      const chunk = isWhole ? bytes : bytes.slice(at, at + maxChunkBytes);
      this.#credit -= chunk.byteLength;
      this.length += chunk.byteLength;
      this.#send(chunk);
    }
  }

  async #untilCredit(): Promise<void> {
    while (this.#credit <= 0 && !this.#isStopped) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** Whether there is a body at all; where that is hidden it is known only by reading, so it may be empty. */
export function hasBody(request: Request): boolean {
  return request.method !== 'GET' && request.method !== 'HEAD' && request.body !== null;
}
