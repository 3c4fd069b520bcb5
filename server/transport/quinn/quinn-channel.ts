/** A stream of quinn's as a Channel: whole frames in and out, split by protocol/frames.ts, calls kept in their order. */
import { CarrierError, type Channel } from '../../../protocol/carrier.ts';
import type { FrameReader } from '../../../protocol/frames.ts';
import { nextFrame } from '../next-frame.ts';
import type { NativeBiStream, NativeRecvStream, NativeSendStream } from './native.ts';

/** The application's code for a stream that is dropped. What it means is said inside the records. */
const dropped = 0;
const readBytes = 64 * 1024;

/** Both halves of a stream. The library runs calls on threads of its own, so writes are chained here. */
export class QuinnStream {
  readonly #send: NativeSendStream;
  readonly #recv: NativeRecvStream;
  readonly #aborted = Promise.withResolvers<never>();
  #queue: Promise<unknown> = Promise.resolve();
  #writing: 'open' | 'ending' | 'ended' = 'open';
  #isAborted = false;

  constructor(stream: NativeBiStream) {
    this.#send = stream.takeSend();
    this.#recv = stream.takeRecv();
    this.#aborted.promise.catch(() => undefined);
  }

  /** @throws CarrierError 'cut' */
  async read(): Promise<Uint8Array | null> {
    if (this.#isAborted) throw new CarrierError('cut');
    try {
      return await Promise.race([this.#recv.read(readBytes), this.#aborted.promise]);
    } catch (cause) {
      throw new CarrierError('cut', { cause });
    }
  }

  /** Resolves when the library has taken all of it, which is when the peer's credit allows. @throws CarrierError 'cut' */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#writing !== 'open') throw new CarrierError('cut');
    const written = this.#queue.then(() => this.#send.write(asBuffer(bytes)));
    this.#queue = written.catch(() => undefined);
    try {
      await Promise.race([written, this.#aborted.promise]);
    } catch (cause) {
      throw new CarrierError('cut', { cause });
    }
  }

  /** Ends our direction behind what waits to be written. */
  finish(): void {
    if (this.#writing !== 'open') return;
    this.#writing = 'ending';
    const finished = this.#queue.then(() => this.#send.finish());
    this.#queue = finished.then(
      () => {
        this.#writing = 'ended';
      },
      () => undefined,
    );
  }

  /**
   * Drops both directions. A half with a call under way follows when that call is over: a pending read ends when the peer,
   * told of the other half, ends its own; a pending write when the peer reads, stops or leaves.
   */
  abort(): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    // What was finished in order stays so: the peer may not have read it yet.
    if (this.#writing !== 'ended') this.#send.reset(dropped).catch(() => undefined);
    this.#writing = 'ended';
    this.#recv.stop(dropped).catch(() => undefined);
    this.#aborted.reject(new CarrierError('cut'));
  }
}

export class QuinnChannel implements Channel {
  readonly streamId: bigint;
  readonly #stream: Promise<QuinnStream>;
  readonly #frames: FrameReader;
  readonly #onMalformed: () => void;

  /** @param stream may still be opening. @param frames what came behind the preamble. */
  constructor(streamId: bigint, stream: Promise<QuinnStream>, frames: FrameReader, onMalformed: () => void) {
    this.streamId = streamId;
    this.#stream = stream;
    this.#frames = frames;
    this.#onMalformed = onMalformed;
    stream.catch(() => undefined);
  }

  async send(frame: Uint8Array): Promise<void> {
    return (await this.#stream).write(frame);
  }

  async receive(): Promise<Uint8Array | null> {
    const stream = await this.#stream;
    return nextFrame(
      this.#frames,
      () => stream.read(),
      () => this.#malformed(),
    );
  }

  finish(): void {
    this.#stream.then((stream) => stream.finish()).catch(() => undefined);
  }

  abort(): void {
    this.#stream.then((stream) => stream.abort()).catch(() => undefined);
  }

  #malformed(): void {
    this.#onMalformed();
    this.abort();
  }
}

/** The same bytes, as the library wants them. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
