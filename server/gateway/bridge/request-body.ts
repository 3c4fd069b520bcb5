/**
 * The body of a request on its way to the service: bytes that came with the head, then the stream's, under the length
 * that was declared. A body of another length than declared would turn its rest into a second request on the same
 * connection, past policy and header rules, so it ends the exchange (RFC 9112 section 11.2).
 */
import type { Clock } from '../../../protocol/clock.ts';
import { gatherBytes, gatherMs } from '../limits.ts';
import { BridgeError, type TunnelStream } from './tunnel-stream.ts';

/** How the body is framed to the service. */
export type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'whole'; readonly chunks: readonly Uint8Array[]; readonly length: number }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' };

export class RequestBody {
  readonly #stream: TunnelStream;
  #waiting: Uint8Array[];
  #pending: Promise<Uint8Array | null> | undefined;
  #ended = false;
  #length: number | undefined;
  /** Bytes handed on so far. */
  bytes = 0;

  /** @param rest what came with the head. */
  constructor(stream: TunnelStream, rest: Uint8Array) {
    this.#stream = stream;
    this.#waiting = rest.length > 0 ? [rest] : [];
  }

  /**
   * Decides how the body goes out. A small one that is complete soon gets a length, because many services understand
   * nothing else; a service worker does not know the length of what it uploads.
   */
  async frame(declared: number | undefined, clock: Clock): Promise<BodyFraming> {
    this.#length = declared;
    if (declared !== undefined) return { kind: 'length', length: declared };
    const gathered = await this.#gather(clock);
    if (!this.#ended) {
      this.#waiting = gathered;
      return { kind: 'chunked' };
    }
    const length = gathered.reduce((sum, chunk) => sum + chunk.length, 0);
    this.bytes = length;
    return length === 0 ? { kind: 'none' } : { kind: 'whole', chunks: gathered, length };
  }

  /** What is left of it, under the declared length. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    for (let chunk = await this.#next(); chunk !== null; chunk = await this.#next()) {
      this.bytes += chunk.length;
      if (this.#length !== undefined && this.bytes > this.#length) throw new BridgeError('protocol');
      if (chunk.length > 0) yield chunk;
    }
    if (this.#length !== undefined && this.bytes !== this.#length) throw new BridgeError('protocol');
  }

  /** Reads and forgets, for a service that answered without wanting the rest. */
  async discard(): Promise<void> {
    while ((await this.#next()) !== null);
  }

  /** Until the end, or enough, or a while after the first byte: the wait for that one has no limit of its own. */
  async #gather(clock: Clock): Promise<Uint8Array[]> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    let patience: Promise<'late'> | undefined;
    let cancel = () => {};
    try {
      while (length < gatherBytes) {
        const next = this.#next();
        const chunk = await (patience === undefined ? next : Promise.race([next, patience]));
        if (chunk === 'late') {
          this.#pending = next;
          next.catch(() => undefined);
          break;
        }
        if (chunk === null) break;
        chunks.push(chunk);
        length += chunk.length;
        patience ??= new Promise((resolve) => {
          cancel = clock.after(gatherMs, () => resolve('late'));
        });
      }
    } finally {
      cancel();
    }
    return chunks;
  }

  async #next(): Promise<Uint8Array | null> {
    if (this.#ended) return null;
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) return waiting;
    const pending = this.#pending ?? this.#stream.read();
    this.#pending = undefined;
    const chunk = await pending;
    this.#ended = chunk === null;
    return chunk;
  }
}
