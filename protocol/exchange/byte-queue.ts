/** Bytes that arrive in any pieces and are taken off in exact ones. Holds what was pushed and not yet taken. */

export class ByteQueue {
  #chunks: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The chunk belongs to the queue from here on. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** A copy of the first `count` bytes, or undefined while there are fewer. */
  take(count: number): Uint8Array<ArrayBuffer> | undefined {
    if (this.#length < count) return undefined;
    const bytes = new Uint8Array(count);
    let at = 0;
    let used = 0;
    while (at < count) {
      const chunk = this.#chunks[used]!;
      const part = chunk.subarray(0, count - at);
      bytes.set(part, at);
      at += part.length;
      if (part.length === chunk.length) used++;
      else this.#chunks[used] = chunk.subarray(part.length);
    }
    if (used > 0) this.#chunks = this.#chunks.slice(used);
    this.#length -= count;
    return bytes;
  }

  /** What is left of the first chunk, at most `most` bytes of it, as a view; undefined when there is nothing. */
  takeSome(most: number): Uint8Array | undefined {
    const chunk = this.#chunks[0];
    if (!chunk || most === 0) return undefined;
    const part = chunk.subarray(0, most);
    if (part.length === chunk.length) this.#chunks.shift();
    else this.#chunks[0] = chunk.subarray(part.length);
    this.#length -= part.length;
    return part;
  }
}
