/** A stream's bytes by the piece: what a parser asks for, however the stream cut them. */
import { Http3Error } from './error.ts';
import { readVarint, varintLength } from './varint.ts';

/** Reads the next bytes, or null at the end. */
export type ReadBytes = () => Promise<Uint8Array | null>;

const none = new Uint8Array(0);

export class ByteSource {
  readonly #read: ReadBytes;
  #held: Uint8Array = none;

  constructor(read: ReadBytes) {
    this.#read = read;
  }

  /** True when the stream ended exactly here. */
  async atEnd(): Promise<boolean> {
    return this.#held.length === 0 && !(await this.#more());
  }

  async varint(): Promise<number> {
    const first = await this.#need(1);
    const length = varintLength(first[0]!);
    const value = readVarint(await this.#need(length));
    this.#held = this.#held.subarray(length);
    return value;
  }

  /** Exactly `length` bytes; the caller has bounded the number. */
  async take(length: number): Promise<Uint8Array> {
    const bytes = (await this.#need(length)).slice(0, length);
    this.#held = this.#held.subarray(length);
    return bytes;
  }

  /** Passes over `length` bytes without keeping them. */
  async skip(length: number): Promise<void> {
    let left = length;
    while (left > this.#held.length) {
      left -= this.#held.length;
      this.#held = none;
      if (!(await this.#more())) throw new Http3Error('frame_error');
    }
    this.#held = this.#held.subarray(left);
  }

  /** Up to `limit` of the bytes that come next, without waiting for more of them; null at the end. */
  async some(limit: number): Promise<Uint8Array | null> {
    if (await this.atEnd()) return null;
    const bytes = this.#held.subarray(0, limit);
    this.#held = this.#held.subarray(bytes.length);
    return bytes;
  }

  /** What was read ahead: for whoever goes on with the stream itself. */
  rest(): Uint8Array {
    const bytes = this.#held;
    this.#held = none;
    return bytes;
  }

  async #need(length: number): Promise<Uint8Array> {
    while (this.#held.length < length) {
      // The stream ended inside of what it announced.
      if (!(await this.#more())) throw new Http3Error('frame_error');
    }
    return this.#held;
  }

  async #more(): Promise<boolean> {
    const next = await this.#read();
    if (next === null) return false;
    if (this.#held.length === 0) {
      this.#held = next;
      return true;
    }
    const both = new Uint8Array(this.#held.length + next.length);
    both.set(this.#held);
    both.set(next, this.#held.length);
    this.#held = both;
    return true;
  }
}
