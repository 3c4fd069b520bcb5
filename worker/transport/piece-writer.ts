/**
 * The sending half of a WebTransport stream. Small frames that are sent in one breath go in one piece: every piece costs the
 * browser a promise, a word to its network process and, as a rule, a packet, and a request that goes ahead is three frames.
 */
import { concat } from '../../protocol/bytes.ts';

/** A larger piece is not worth its copy. */
const maxPieceBytes = 4_096;

export class PieceWriter {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #waiting: Uint8Array[];
  #written: Promise<unknown> | undefined;

  /** @param first goes with the first frame, before it */
  constructor(writer: WritableStreamDefaultWriter<Uint8Array>, ...first: Uint8Array[]) {
    this.#writer = writer;
    this.#waiting = first;
  }

  /**
   * In the order of calls. `frame` must stay as it is until this settles, which is when the browser has copied the bytes
   * into the stream: that is both the backpressure and the hand-over.
   */
  async write(frame: Uint8Array): Promise<void> {
    this.#waiting.push(frame);
    this.#written ??= Promise.resolve().then(() => this.#flush());
    await this.#written;
  }

  #flush(): Promise<unknown> {
    const frames = this.#waiting;
    this.#waiting = [];
    this.#written = undefined;
    const bytes = frames.reduce((sum, { length }) => sum + length, 0);
    const pieces = frames.length === 1 || bytes > maxPieceBytes ? frames : [concat(...frames)];
    return Promise.all(pieces.map((piece) => this.#writer.write(piece)));
  }

  /** After all that was written. */
  async close(): Promise<void> {
    // What waits is flushed by then.
    await Promise.resolve();
    await this.#writer.close();
  }

  /** At once, with what waits. */
  abort(): Promise<void> {
    return this.#writer.abort();
  }
}
