/** A WebTransport session of quinn's as a Carrier. */
import { Arrivals } from '../../../protocol/arrivals.ts';
import { type Carrier, CarrierError, type Channel, type Datagrams, transportByte } from '../../../protocol/carrier.ts';
import { encodePreamble, FrameReader } from '../../../protocol/frames.ts';
import type { NativeSession } from './native.ts';
import { asBuffer, QuinnChannel, QuinnStream } from './quinn-channel.ts';

/**
 * What any path that carries QUIC takes (RFC 9000, section 14): 1,200 bytes less a packet's and a datagram's own. The library
 * knows the path better, but panics when it is asked about a peer that takes no datagrams.
 */
const datagramBytes = 1_140;

class QuinnDatagrams implements Datagrams {
  readonly maxBytes = datagramBytes;
  onDatagram: ((datagram: Uint8Array) => void) | undefined;
  readonly #session: WeakRef<NativeSession>;

  constructor(session: NativeSession) {
    this.#session = new WeakRef(session);
    // It ends with the session.
    this.#receiveAll(session).catch(() => undefined);
  }

  send(datagram: Uint8Array): void {
    try {
      this.#session.deref()?.sendDatagram(asBuffer(datagram));
    } catch {
      // Too large for the path, or nobody takes it: lost, as datagrams may be.
    }
  }

  async #receiveAll(session: NativeSession): Promise<never> {
    while (true) {
      const datagram = await session.recvDatagram();
      this.onDatagram?.(new Uint8Array(datagram.buffer, datagram.byteOffset, datagram.length));
    }
  }
}

export class QuinnCarrier implements Carrier {
  readonly transport = transportByte.webtransport;
  readonly datagrams: Datagrams;
  readonly closed: Promise<void>;
  /** Resolves when the connection is gone, which is later than {@link closed} when the end is ours. */
  readonly gone: Promise<void>;
  /** Let go when the connection is gone: the library keeps what it has of one for as long. */
  #session: NativeSession | undefined;
  readonly #onMalformed: () => void;
  readonly #arrivals = new Arrivals<Channel>();
  /** Streams of the peer's that have not said which they are. */
  readonly #introducing = new Set<QuinnStream>();
  readonly #settleClosed: () => void;
  #ended = false;

  constructor(session: NativeSession, onMalformed: () => void) {
    this.#session = session;
    this.datagrams = new QuinnDatagrams(session);
    this.#onMalformed = onMalformed;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#settleClosed = resolve;
    const gone = () => {
      this.#end();
      this.#session = undefined;
    };
    this.gone = session.closed().then(gone, gone);
    this.#acceptAll(session).catch(() => this.#end());
  }

  open(streamId: bigint): Channel {
    if (this.#ended || this.#session === undefined) throw new CarrierError('cut');
    return new QuinnChannel(streamId, opening(this.#session, streamId), new FrameReader(), this.#onMalformed);
  }

  accept(): Promise<Channel | null> {
    return this.#arrivals.next();
  }

  /** Says so to the peer, which has a moment to take it and what was sent before. */
  close(): void {
    if (this.#ended) return;
    this.#end();
    this.#session?.close(0, '');
  }

  /** Ends by a rejection, when the session does. */
  async #acceptAll(session: NativeSession): Promise<never> {
    while (true) {
      const stream = new QuinnStream(await session.acceptBi());
      // One that is slow with its preamble does not hold up the next.
      void this.#introduce(stream);
    }
  }

  async #introduce(stream: QuinnStream): Promise<void> {
    const frames = new FrameReader();
    this.#introducing.add(stream);
    try {
      const streamId = await readPreamble(stream, frames);
      this.#arrivals.push(new QuinnChannel(streamId, Promise.resolve(stream), frames, this.#onMalformed));
    } catch {
      if (!this.#ended) this.#onMalformed();
      stream.abort();
    } finally {
      this.#introducing.delete(stream);
    }
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#arrivals.end();
    this.#settleClosed();
    for (const stream of this.#introducing) stream.abort();
  }
}

async function opening(session: NativeSession, streamId: bigint): Promise<QuinnStream> {
  const native = await session.openBi().catch((cause: unknown) => {
    throw new CarrierError('cut', { cause });
  });
  const stream = new QuinnStream(native);
  // A failure shows again at the first frame behind it.
  stream.write(encodePreamble(streamId)).catch(() => undefined);
  return stream;
}

async function readPreamble(stream: QuinnStream, frames: FrameReader): Promise<bigint> {
  for (let id = frames.preamble(); ; id = frames.preamble()) {
    if (id !== null) return id;
    const bytes = await stream.read();
    if (bytes === null) throw new CarrierError('malformed');
    frames.push(bytes);
  }
}
