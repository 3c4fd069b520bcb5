/**
 * The body of a request, sent under credit in chunks. Firefox's service worker has no `Request.body` and waits for all of it,
 * but as a Blob, of which it keeps what is large in a file and not in memory.
 */
import { firstCreditBytes, maxChunkBytes } from '../app-messages.ts';

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
  async run(request: Request): Promise<boolean> {
    const stream = request.body ?? (await request.blob()).stream();
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
