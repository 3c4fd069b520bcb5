/** The body of a request (body.ts), sent under credit in chunks. */
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
