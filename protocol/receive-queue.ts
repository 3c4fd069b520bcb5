/**
 * Opened content that waits for its reader. Bounded by the stream's credit, which the queue does not know; its own
 * duty is that a thousand tiny records cost about a thousand bytes. Not a stream: it knows no end and no errors.
 */
import { queueBlockBytes } from './session-limits.ts';

type Block = { readonly bytes: Uint8Array; used: number };

export class ReceiveQueue {
  readonly #keepBoundaries: boolean;
  #blocks: Block[] = [];
  #first = 0;
  #length = 0;

  /** @param keepBoundaries one datagram stays one chunk */
  constructor(keepBoundaries: boolean) {
    this.#keepBoundaries = keepBoundaries;
  }

  /** Bytes waiting. */
  get length(): number {
    return this.#length;
  }

  /** Chunks waiting. */
  get count(): number {
    return this.#blocks.length - this.#first;
  }

  get isEmpty(): boolean {
    return this.#first === this.#blocks.length;
  }

  /** Copies `content`, which is a view into the crypto's memory. */
  push(content: Uint8Array): void {
    this.#length += content.length;
    const last = this.isEmpty ? undefined : this.#blocks[this.#blocks.length - 1];
    if (!this.#keepBoundaries && last && last.bytes.length - last.used >= content.length) {
      last.bytes.set(content, last.used);
      last.used += content.length;
      return;
    }
    // The first chunk is likely to be read at once; only a backlog is worth sharing blocks.
    const size = this.#keepBoundaries || this.isEmpty ? content.length : Math.max(content.length, queueBlockBytes);
    const bytes = new Uint8Array(size);
    bytes.set(content);
    this.#blocks.push({ bytes, used: content.length });
  }

  /** The oldest chunk, the caller's from now on; undefined when there is none. */
  shift(): Uint8Array | undefined {
    if (this.isEmpty) return undefined;
    const block = this.#blocks[this.#first]!;
    this.#blocks[this.#first] = spent; // lets go of the block before the array is trimmed
    this.#first++;
    this.#length -= block.used;
    if (this.isEmpty) this.clear();
    else if (this.#first >= 64 && 2 * this.#first >= this.#blocks.length) this.#trim();
    return block.bytes.subarray(0, block.used);
  }

  /** Half at a time, so that a long backlog costs linear time. */
  #trim(): void {
    this.#blocks = this.#blocks.slice(this.#first);
    this.#first = 0;
  }

  clear(): void {
    this.#blocks = [];
    this.#first = 0;
    this.#length = 0;
  }
}

const spent: Block = { bytes: new Uint8Array(0), used: 0 };
