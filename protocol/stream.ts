/**
 * A stream as its users see it: one HTTP exchange, WebSocket, TCP connection or UDP flow to a service. Everything the
 * session needs of it beyond that is in stream-engine.ts.
 */
import type { StreamCode, StreamKind } from './codes.ts';
import type { StreamEngine } from './stream-engine.ts';
import type { OpenRequest } from './stream-messages.ts';

/**
 * Both directions of an open stream. Failures are StreamErrors (stream-error.ts); a programmer's mistake is a TypeError.
 *
 * @example
 * await stream.write(head);
 * await stream.finish();
 * for (let chunk = await stream.read(); chunk; chunk = await stream.read()) use(chunk);
 */
export class Stream {
  readonly #engine: StreamEngine;
  #lastWrite: Promise<void> = Promise.resolve();

  constructor(engine: StreamEngine) {
    this.#engine = engine;
  }

  get id(): bigint {
    return this.#engine.id;
  }

  /** Bytes received and not yet read; bounded by the stream's credit. */
  get buffered(): number {
    return this.#engine.buffered;
  }

  /** Bytes that {@link Stream.read} gave and that {@link Stream.write} had sealed, since the start. */
  get offsets(): { readonly received: number; readonly sent: number } {
    return this.#engine.offsets;
  }

  /**
   * Resolves when both directions have ended, well or not, and never rejects: {@link Stream.read} and
   * {@link Stream.write} say how. Received data may still be read afterwards.
   */
  get closed(): Promise<void> {
    return this.#engine.closed;
  }

  /**
   * The next chunk, the reader's to keep. One read at a time.
   * @returns null only after the peer's authenticated end of data; a stream that was cut rejects with 'truncated'.
   */
  read(): Promise<Uint8Array | null> {
    return this.#engine.read();
  }

  /**
   * Sends all of `bytes`, which must stay as they are until it resolves: when the peer's credit and the transport
   * have taken them. On a UDP flow each call is one datagram.
   */
  write(bytes: Uint8Array): Promise<void> {
    return this.#inTurn(() => this.#engine.write(bytes));
  }

  /** Ends our data, after every write before it. */
  finish(): Promise<void> {
    return this.#inTurn(() => this.#engine.finish());
  }

  #inTurn(run: () => Promise<void>): Promise<void> {
    const turn = this.#lastWrite.then(run);
    this.#lastWrite = turn.catch(() => {});
    return turn;
  }

  /** Drops both directions at once and tells the peer why. */
  reset(code: StreamCode): void {
    this.#engine.reset(code);
  }
}

/** A stream the peer asks for, before it is answered. */
export class IncomingStream {
  readonly kind: StreamKind;
  readonly service: string;
  readonly policyEpoch: bigint;
  readonly flags: number;
  readonly #engine: StreamEngine;

  constructor(engine: StreamEngine, request: OpenRequest) {
    this.#engine = engine;
    this.kind = request.kind;
    this.service = request.service;
    this.policyEpoch = request.policyEpoch;
    this.flags = request.flags;
  }

  get id(): bigint {
    return this.#engine.id;
  }

  /** Resolves when the peer gave up waiting, and at the end of the accepted or refused stream. */
  get closed(): Promise<void> {
    return this.#engine.closed;
  }

  /** Says OPEN_OK. Rejects with a StreamError when the peer gave up. */
  async accept(): Promise<Stream> {
    this.#engine.accept();
    return new Stream(this.#engine);
  }

  /** @param correlation 16 bytes that name this refusal in the audit; zeros for none. */
  refuse(code: StreamCode, correlation: Uint8Array): void {
    this.#engine.refuse({ code, correlation });
  }
}
