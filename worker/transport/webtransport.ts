/**
 * WebTransport as a Carrier: a bidirectional stream for each channel, its flow control ours. The one file of the worker that
 * touches the browser's WebTransport.
 */

import { Arrivals } from '../../protocol/arrivals.ts';
import { type Carrier, CarrierError, type Channel, type Datagrams, transportByte } from '../../protocol/carrier.ts';
import { FrameReader } from '../../protocol/frames.ts';
import type { Endpoint } from './endpoint.ts';
import { openedByPeer, openedByUs } from './stream-channel.ts';

/** Resolves when the session stands. @throws CarrierError 'unreachable' for every way it can fail: browsers do not tell them apart */
export async function connectWebTransport(endpoint: Endpoint, signal: AbortSignal): Promise<Carrier> {
  signal.throwIfAborted();
  const session = begin(endpoint);
  const cancel = () => session.close();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    // Both settle when the session fails; one of them would otherwise be an unhandled rejection.
    session.closed.catch(() => undefined);
    await session.ready;
    signal.throwIfAborted();
    return new WebTransportCarrier(session);
  } catch (cause) {
    throw new CarrierError('unreachable', { cause });
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function begin({ url, certHashes }: Endpoint): WebTransport {
  if (typeof WebTransport === 'undefined') throw new CarrierError('unreachable');
  const hashes = certHashes.map((hash) => ({ algorithm: 'sha-256', value: new Uint8Array(hash) }));
  try {
    return new WebTransport(url, hashes.length === 0 ? {} : { serverCertificateHashes: hashes });
  } catch (cause) {
    throw new CarrierError('unreachable', { cause });
  }
}

class WebTransportCarrier implements Carrier {
  readonly transport = transportByte.webtransport;
  readonly closed: Promise<void>;
  readonly datagrams: Datagrams;
  readonly #session: WebTransport;
  readonly #arrivals = new Arrivals<Channel>();

  constructor(session: WebTransport) {
    this.#session = session;
    this.datagrams = new BrowserDatagrams(session.datagrams);
    // It rejects when the connection was lost; to us an end is an end.
    this.closed = session.closed.then(
      () => this.#arrivals.end(),
      () => this.#arrivals.end(),
    );
    this.#adoptAll().catch(() => this.close());
  }

  open(streamId: bigint): Channel {
    return openedByUs(streamId, this.#session.createBidirectionalStream());
  }

  accept(): Promise<Channel | null> {
    return this.#arrivals.next();
  }

  close(): void {
    this.#session.close();
  }

  async #adoptAll(): Promise<void> {
    const incoming = this.#session.incomingBidirectionalStreams.getReader();
    for (let next = await incoming.read(); !next.done; next = await incoming.read()) {
      // One that is slow with its preamble does not hold up the next.
      this.#adopt(next.value).catch(() => undefined);
    }
  }

  async #adopt(stream: WebTransportBidirectionalStream): Promise<void> {
    const channel = await openedByPeer(stream, new FrameReader());
    if (channel !== undefined) this.#arrivals.push(channel);
  }
}

/** Datagrams that may wait in the browser; it drops the oldest beyond its own bound. */
const waitingDatagrams = 64;

class BrowserDatagrams implements Datagrams {
  onDatagram: ((datagram: Uint8Array) => void) | undefined;
  readonly #datagrams: WebTransportDatagramDuplexStream;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(datagrams: WebTransportDatagramDuplexStream) {
    this.#datagrams = datagrams;
    datagrams.incomingHighWaterMark = waitingDatagrams;
    datagrams.outgoingHighWaterMark = waitingDatagrams;
    this.#writer = datagrams.writable.getWriter();
    this.#writer.closed.catch(() => undefined);
    this.#readAll().catch(() => undefined); // the session's end
  }

  get maxBytes(): number {
    return this.#datagrams.maxDatagramSize;
  }

  send(datagram: Uint8Array<ArrayBuffer>): void {
    if ((this.#writer.desiredSize ?? 0) <= 0) return;
    this.#writer.write(datagram).catch(() => undefined);
  }

  async #readAll(): Promise<void> {
    const incoming: ReadableStreamDefaultReader<Uint8Array> = this.#datagrams.readable.getReader();
    for (let next = await incoming.read(); !next.done; next = await incoming.read()) this.onDatagram?.(next.value);
  }
}
