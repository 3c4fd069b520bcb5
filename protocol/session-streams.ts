/**
 * The streams of a session: opens ours, takes the peer's, and drains every channel for as long as it lives
 * (docs/protocol.md, "Records": Streams). A stream whose business is done lingers until the peer's end of the channel
 * arrives, so that nothing late is taken for something new.
 */
import type { Carrier, Channel } from './carrier.ts';
import { CarrierError } from './carrier.ts';
import type { Clock } from './clock.ts';
import { WindowBudget } from './flow-control.ts';
import { dataPaddingBytes, initialCreditBytes, maxRecordBytes } from './limits.ts';
import { other, type Role } from './record.ts';
import type { RecordLayer } from './record-layer.ts';
import type { RecordLink } from './record-link.ts';
import type { SessionDatagrams } from './session-datagrams.ts';
import { SessionError } from './session-error.ts';
import { deliveryMs, lingerMs } from './session-limits.ts';
import { IncomingStream, Stream } from './stream.ts';
import { StreamEngine } from './stream-engine.ts';
import { StreamError } from './stream-error.ts';
import { OwnStreamIds, PeerStreamIds } from './stream-ids.ts';
import { correlationBytes, type OpenRequest } from './stream-messages.ts';

/** The part of the DOM's AbortSignal that is used here. */
export type AbortSignalLike = {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
};

export type StreamsHost = {
  readonly layer: RecordLayer;
  readonly carrier: Carrier;
  readonly clock: Clock;
  readonly role: Role;
  /** Streams open at one time, both ways together. */
  readonly maxStreams: number;
  /** Plaintext of one record. */
  readonly maxRecord: number;
  readonly roundTripMs: () => number;
  /** For UDP flows, on a transport that has them. */
  readonly datagrams: SessionDatagrams | undefined;
  /** Absent: whatever the peer opens is denied. */
  readonly onOpen: ((incoming: IncomingStream) => void) | undefined;
  readonly onCount: (open: number) => void;
  readonly isOver: () => boolean;
  readonly fatal: (error: unknown) => void;
  readonly onCut: () => void;
};

type Entry = { readonly link: RecordLink; readonly engine: StreamEngine; cancelLinger?: () => void };

const noCorrelation = new Uint8Array(correlationBytes);

export class SessionStreams {
  readonly #host: StreamsHost;
  readonly #entries = new Set<Entry>();
  readonly #budget = new WindowBudget();
  readonly #ownIds: OwnStreamIds;
  readonly #peerIds: PeerStreamIds;
  readonly #maxContent: number;
  #open = 0;

  constructor(host: StreamsHost) {
    this.#host = host;
    this.#ownIds = new OwnStreamIds(host.role);
    this.#peerIds = new PeerStreamIds(other[host.role]);
    const inner = Math.min(host.maxRecord, maxRecordBytes);
    this.#maxContent = Math.max(inner - (inner % dataPaddingBytes), dataPaddingBytes) - 1;
  }

  /** Streams that are not over. */
  get count(): number {
    return this.#open;
  }

  /** Resolves at OPEN_OK. @param signal gives up waiting for it. @param whole sent ahead (stream-engine.ts) */
  async open(request: OpenRequest, signal?: AbortSignalLike, whole?: Uint8Array): Promise<Stream> {
    if (whole && (request.kind === 'udp' || whole.length > initialCreditBytes))
      throw new TypeError('nothing to send ahead');
    if (signal?.aborted) throw new StreamError('cancelled');
    if (this.#open >= this.#host.maxStreams) throw new StreamError('too_many');
    const { engine } = this.#add(this.#host.carrier.open(this.#ownIds.next()), true);
    const cancel = (): void => engine.reset('cancelled');
    signal?.addEventListener('abort', cancel);
    try {
      await engine.open(request, whole);
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
    return new Stream(engine);
  }

  /** Takes the peer's streams until the carrier closes. */
  async listen(): Promise<void> {
    const { carrier, isOver, fatal, onCut } = this.#host;
    for (;;) {
      const channel = await carrier.accept().catch(() => null);
      if (isOver()) return;
      if (channel === null) {
        onCut();
        return;
      }
      try {
        this.#take(channel);
      } catch (error) {
        fatal(error);
        return;
      }
    }
  }

  #take(channel: Channel): void {
    this.#peerIds.take(channel.streamId);
    // A stream more than agreed is refused politely, since its predecessor's end may still be under way.
    if (this.#open >= 2 * this.#host.maxStreams) throw new SessionError('too_many', 'streams');
    const { engine } = this.#add(channel, false);
    engine.onOpen = (request) => this.#onOpen(engine, request);
  }

  #onOpen(engine: StreamEngine, request: OpenRequest): void {
    const { maxStreams, onOpen } = this.#host;
    if (this.#open > maxStreams) engine.refuse({ code: 'too_many', correlation: noCorrelation });
    else if (!onOpen) engine.refuse({ code: 'denied', correlation: noCorrelation });
    else onOpen(new IncomingStream(engine, request));
  }

  #add(channel: Channel, isOpener: boolean): Entry {
    const { layer, clock, roundTripMs, datagrams } = this.#host;
    const link = layer.link(channel);
    const onSettled = (): void => this.#onSettled(entry);
    const now = (): number => clock.monotonic();
    const host = { link, budget: this.#budget, maxContent: this.#maxContent, now, roundTripMs, datagrams, onSettled };
    const entry: Entry = { link, engine: new StreamEngine(host, isOpener) };
    this.#entries.add(entry);
    this.#changeCount(1);
    void this.#drain(entry);
    return entry;
  }

  /** Opens records as they come, whoever reads or not: nothing sealed waits for a reader. */
  async #drain(entry: Entry): Promise<void> {
    const { link, engine } = entry;
    try {
      for (;;) {
        const frame = await link.channel.receive();
        if (this.#host.isOver()) return;
        if (frame === null) break;
        const { kind, content } = link.open(frame);
        engine.take(kind, content);
      }
      engine.cut();
    } catch (error) {
      if (error instanceof CarrierError && error.code !== 'malformed') engine.cut();
      else this.#host.fatal(error);
    } finally {
      this.#remove(entry);
    }
  }

  #onSettled(entry: Entry): void {
    this.#changeCount(-1);
    if (this.#host.isOver()) return;
    const { channel, delivered } = entry.link;
    channel.finish();
    this.#lingerFor(entry, deliveryMs);
    void delivered.then(() => this.#entries.has(entry) && !this.#host.isOver() && this.#lingerFor(entry, lingerMs));
  }

  #lingerFor(entry: Entry, ms: number): void {
    entry.cancelLinger?.();
    entry.cancelLinger = this.#host.clock.after(ms, () => entry.link.channel.abort());
  }

  #remove(entry: Entry): void {
    entry.cancelLinger?.();
    this.#entries.delete(entry);
    this.#host.layer.unlink(entry.link);
  }

  #changeCount(by: number): void {
    this.#open += by;
    this.#host.onCount(this.#open);
  }

  /** The session is over: nobody reads or writes any more. */
  abandon(): void {
    for (const { engine, cancelLinger } of this.#entries) {
      cancelLinger?.();
      engine.abandon();
    }
  }

  /** Drops what the transport still holds. After CLOSE is on its way, so that the peer hears the reason first. */
  abort(): void {
    for (const { link } of this.#entries) link.channel.abort();
  }
}
