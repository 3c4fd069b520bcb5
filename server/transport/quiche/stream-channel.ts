/** A WebTransport bidirectional stream as a Channel: whole frames in and out, split by protocol/frames.ts. */
import { CarrierError, type Channel } from '../../../protocol/carrier.ts';
import type { FrameReader } from '../../../protocol/frames.ts';
import { streamErrorNumber } from './http3.ts';
import type { QuicStream } from './quic-stream.ts';

/** The application error of a stream that is dropped. What it means is said inside the records. */
const dropped = streamErrorNumber(0);

export class StreamChannel implements Channel {
  readonly streamId: bigint;
  readonly #stream: QuicStream;
  readonly #frames: FrameReader;
  readonly #onMalformed: () => void;

  /** `frames` may hold bytes that came behind the preamble. */
  constructor(streamId: bigint, stream: QuicStream, frames: FrameReader, onMalformed: () => void) {
    this.streamId = streamId;
    this.#stream = stream;
    this.#frames = frames;
    this.#onMalformed = onMalformed;
  }

  send(frame: Uint8Array): Promise<void> {
    return this.#stream.write(frame);
  }

  async receive(): Promise<Uint8Array | null> {
    while (true) {
      const frame = this.#next();
      if (frame !== null) return frame;
      const bytes = await this.#stream.read();
      if (bytes === null) {
        this.#frames.end();
        return null;
      }
      this.#frames.push(bytes);
    }
  }

  finish(): void {
    this.#stream.finish();
  }

  abort(): void {
    this.#stream.abort(dropped);
  }

  /** What is not a frame ends this stream, and this stream only. */
  #next(): Uint8Array | null {
    try {
      return this.#frames.next();
    } catch (cause) {
      this.#onMalformed();
      this.abort();
      throw new CarrierError('malformed', { cause });
    }
  }
}
