/** A WebTransport bidirectional stream as a Channel: preamble, then whole frames, split by protocol/frames.ts. */
import { CarrierError, type Channel } from '../../protocol/carrier.ts';
import { encodePreamble, FrameReader } from '../../protocol/frames.ts';
import { PieceWriter } from './piece-writer.ts';

type Reader = ReadableStreamDefaultReader<Uint8Array>;

interface Ends {
  readonly reader: Reader;
  readonly writer: PieceWriter;
}

/** A channel of ours. The browser opens its stream in its own time; what is sent waits for it. */
export function openedByUs(streamId: bigint, opening: Promise<WebTransportBidirectionalStream>): Channel {
  const ends = opening.then((stream) => endsOf(stream, encodePreamble(streamId)));
  return new StreamChannel(streamId, ends, new FrameReader());
}

/** A channel of the peer's, or undefined when the stream does not begin with a preamble; then it is dropped. */
export async function openedByPeer(
  stream: WebTransportBidirectionalStream,
  frames: FrameReader,
): Promise<Channel | undefined> {
  const ends = endsOf(stream);
  try {
    return new StreamChannel(await readPreamble(ends.reader, frames), Promise.resolve(ends), frames);
  } catch {
    drop(ends);
    return undefined;
  }
}

async function readPreamble(reader: Reader, frames: FrameReader): Promise<bigint> {
  for (let id = frames.preamble(); ; id = frames.preamble()) {
    if (id !== null) return id;
    const { value, done } = await reader.read();
    if (done) throw new CarrierError('cut');
    frames.push(value);
  }
}

function endsOf(stream: WebTransportBidirectionalStream, ...preamble: Uint8Array[]): Ends {
  const reader: Reader = stream.readable.getReader();
  const writer: WritableStreamDefaultWriter<Uint8Array> = stream.writable.getWriter();
  // Both reject when the stream is cut; reads and writes report it to whoever cares.
  reader.closed.catch(() => undefined);
  writer.closed.catch(() => undefined);
  return { reader, writer: new PieceWriter(writer, ...preamble) };
}

function drop({ reader, writer }: Ends): void {
  reader.cancel().catch(() => undefined);
  writer.abort().catch(() => undefined);
}

class StreamChannel implements Channel {
  readonly streamId: bigint;
  readonly #ends: Promise<Ends>;
  readonly #frames: FrameReader;

  constructor(streamId: bigint, ends: Promise<Ends>, frames: FrameReader) {
    this.streamId = streamId;
    this.#ends = ends;
    this.#frames = frames;
    ends.catch(() => undefined);
  }

  async send(frame: Uint8Array): Promise<void> {
    try {
      const { writer } = await this.#ends;
      await writer.write(frame);
    } catch (cause) {
      throw new CarrierError('cut', { cause });
    }
  }

  async receive(): Promise<Uint8Array | null> {
    while (true) {
      const frame = this.#next();
      if (frame !== null) return frame;
      const bytes = await this.#read();
      if (bytes === null) {
        this.#frames.end();
        return null;
      }
      this.#frames.push(bytes);
    }
  }

  finish(): void {
    this.#ends.then(({ writer }) => writer.close()).catch(() => undefined);
  }

  abort(): void {
    this.#ends.then(drop).catch(() => undefined);
  }

  async #read(): Promise<Uint8Array | null> {
    try {
      const { reader } = await this.#ends;
      const { value, done } = await reader.read();
      return done ? null : value;
    } catch (cause) {
      throw new CarrierError('cut', { cause });
    }
  }

  #next(): Uint8Array | null {
    try {
      return this.#frames.next();
    } catch (cause) {
      this.abort();
      throw new CarrierError('malformed', { cause });
    }
  }
}
