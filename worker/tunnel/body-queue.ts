/** An upload on its way from the service worker to a stream; bounded by the credit its sender was given. */
import { firstCreditBytes, maxChunkBytes } from '../app-messages.ts';

/** So much of a body is kept to be sent once more when the service wants a password first. */
const maxKeptBytes = 256 * 1024;

export class BodyQueue {
  readonly #grant: (bytes: number) => void;
  readonly #chunks: Uint8Array[] = [];
  #allowed = firstCreditBytes;
  #length = 0;
  /** What was taken, from the beginning; undefined when it is too much. */
  #taken: Uint8Array[] | undefined = [];
  #ended = false;
  #wake: (() => void) | undefined;

  /** @param grant tells the sender how many more bytes it may send. */
  constructor(grant: (bytes: number) => void) {
    this.#grant = grant;
  }

  /** @returns false when the sender has used more credit than it had: it is not the service worker we wrote. */
  push(chunk: Uint8Array): boolean {
    this.#allowed -= chunk.byteLength;
    if (this.#allowed <= -maxChunkBytes) return false;
    this.#length += chunk.byteLength;
    this.#chunks.push(chunk);
    this.#wake?.();
    return true;
  }

  /** The sender has sent all it had. */
  get isEnded(): boolean {
    return this.#ended;
  }

  /** @param length of the whole, as its sender counted. @returns false when something of it is missing. */
  end(length: number): boolean {
    if (length !== this.#length) return false;
    this.stop();
    return true;
  }

  /** Nobody wants more of it. */
  stop(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** The next chunk; null at the end. One caller at a time. */
  async next(): Promise<Uint8Array | null> {
    while (this.#chunks.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return null;
    this.#keep(chunk);
    return chunk;
  }

  /** Puts what was taken back, to be taken again. @returns false when it was too much to be kept. */
  rewind(): boolean {
    if (this.#taken === undefined) return false;
    this.#chunks.unshift(...this.#taken.splice(0));
    return true;
  }

  #keep(chunk: Uint8Array): void {
    const kept = this.#taken?.reduce((total, { byteLength }) => total + byteLength, chunk.byteLength) ?? 0;
    if (kept > maxKeptBytes) this.#taken = undefined;
    this.#taken?.push(chunk);
  }

  /** The stream has taken this many bytes. */
  credit(bytes: number): void {
    this.#allowed += bytes;
    this.#grant(bytes);
  }
}
