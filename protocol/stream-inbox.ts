/**
 * The receiving half of a stream: opened content, its reader, and the credit that bounds the two. Records come in,
 * chunks go out, grants are asked for. The order of records is stream-engine.ts's business.
 */
import { ReceiveWindow, type WindowBudget } from './flow-control.ts';
import { ReceiveQueue } from './receive-queue.ts';
import { datagramCostBytes, maxUnreadDatagramBytes } from './session-limits.ts';
import type { StreamError } from './stream-error.ts';

export type InboxHost = {
  readonly budget: WindowBudget;
  readonly now: () => number;
  readonly roundTripMs: () => number;
  /** Tells the peer that it may send so many bytes more. */
  readonly grant: (bytes: number) => void;
};

export class StreamInbox {
  readonly #host: InboxHost;
  readonly #window: ReceiveWindow;
  readonly #queue: ReceiveQueue;
  readonly #keepBoundaries: boolean;
  /** What came beside the stream, and so beside its credit. */
  readonly #datagrams = new ReceiveQueue(true);
  #reader: PromiseWithResolvers<Uint8Array | null> | undefined;
  #failure: StreamError | undefined;
  #isEnded = false;

  /** @param keepBoundaries each record is one chunk (datagrams) */
  constructor(host: InboxHost, keepBoundaries: boolean) {
    this.#host = host;
    this.#window = new ReceiveWindow(host.budget, host.now());
    this.#keepBoundaries = keepBoundaries;
    this.#queue = new ReceiveQueue(keepBoundaries);
  }

  /** Bytes that wait for the reader. */
  get buffered(): number {
    return this.#queue.length + this.#datagrams.length;
  }

  /** The next chunk, the caller's to keep; null at the end. */
  read(): Promise<Uint8Array | null> {
    if (this.#reader) return Promise.reject(new TypeError('one read at a time'));
    if (this.#failure) return Promise.reject(this.#failure);
    const datagram = this.#datagrams.shift();
    if (datagram) return Promise.resolve(datagram);
    const chunk = this.#queue.shift();
    if (chunk) {
      this.#consumed(chunk.length);
      return Promise.resolve(chunk);
    }
    if (this.#isEnded) return Promise.resolve(null);
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  /** @param content a view, copied here. @throws SessionError when the peer had no credit for it */
  take(content: Uint8Array): void {
    this.#window.received(content.length);
    if (this.#failure) return; // what is in flight after a reset
    if (this.#reader) {
      this.#answer(content.slice());
      this.#consumed(content.length);
    } else if (this.#keepBoundaries && costOf(this.#queue) >= maxUnreadDatagramBytes) {
      this.#consumed(content.length); // credit bounds bytes, not how many datagrams they are; one more is lost
    } else this.#queue.push(content);
  }

  /** @param content a view, copied here. @returns false when it is dropped: too much waits, or nobody will read */
  takeDatagram(content: Uint8Array): boolean {
    if (this.#failure || this.#isEnded) return false;
    if (this.#reader) this.#answer(content.slice());
    else if (
      this.#datagrams.length + costOf(this.#datagrams) + content.length + datagramCostBytes >
      maxUnreadDatagramBytes
    )
      return false;
    else this.#datagrams.push(content);
    return true;
  }

  /** The peer's data is complete. What waits stays readable. */
  end(): void {
    this.#isEnded = true;
    this.#window.release();
    if (this.#reader) this.#answer(null);
  }

  /** Drops what waits: a reader must not take part of something for the whole. */
  fail(failure: StreamError): void {
    if (this.#failure) return;
    this.#failure = failure;
    this.#queue.clear();
    this.#datagrams.clear();
    if (!this.#isEnded) this.#window.release();
    this.#reader?.reject(failure);
    this.#reader = undefined;
  }

  #consumed(bytes: number): void {
    if (this.#isEnded) return;
    const grant = this.#window.consumed(bytes, this.#host.now(), this.#host.roundTripMs());
    if (grant > 0) this.#host.grant(grant);
  }

  #answer(chunk: Uint8Array | null): void {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.resolve(chunk);
  }
}

/** Bytes that these datagrams cost beside their content. */
function costOf(datagrams: ReceiveQueue): number {
  return datagrams.count * datagramCostBytes;
}
