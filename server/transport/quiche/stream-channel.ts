/** A WebTransport bidirectional stream as a Channel: whole frames in and out, split by protocol/frames.ts. */
import type { Channel } from '../../../protocol/carrier.ts';
import type { FrameReader } from '../../../protocol/frames.ts';
import { nextFrame } from '../next-frame.ts';
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

  receive(): Promise<Uint8Array | null> {
    return nextFrame(
      this.#frames,
      () => this.#stream.read(),
      () => this.#malformed(),
    );
  }

  finish(): void {
    this.#stream.finish();
  }

  abort(): void {
    this.#stream.abort(dropped);
  }

  #malformed(): void {
    this.#onMalformed();
    this.abort();
  }
}
