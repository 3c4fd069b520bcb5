/**
 * Two Carriers joined in memory, for tests. Frames cross as bytes and are split again by protocol/frames.ts, so that a
 * fault may change, drop, repeat, hold back or cut them anywhere. Has real backpressure: a sender waits for the reader.
 */
import { type Carrier, CarrierError, type Channel, type Datagrams, transportByte } from '../../protocol/carrier.ts';
import { FrameReader } from '../../protocol/frames.ts';

export type Side = 'client' | 'gateway';

/** A frame on its way; `index` counts those of one direction of one stream. */
export type FrameInFlight = {
  readonly from: Side;
  readonly streamId: bigint;
  readonly index: number;
  readonly bytes: Uint8Array;
};

/**
 * What arrives in place of a frame: any number of frames or pieces of them, or `bytes` and then the end of the
 * direction: `cut` as a broken transport shows it, `end` as one that somebody ended politely.
 */
export type Arrival = readonly Uint8Array[] | { readonly bytes: Uint8Array; readonly ending: 'cut' | 'end' };

export type LoopbackOptions = {
  readonly fault?: (frame: FrameInFlight) => Arrival;
  /** What arrives in place of a datagram, any number of them; without it there are no datagrams. */
  readonly datagrams?: (from: Side, datagram: Uint8Array) => readonly Uint8Array[];
  /** A sender waits while so much is unread. */
  readonly highWaterBytes?: number;
};

/** One direction of one channel. */
class Pipe {
  readonly #reader = new FrameReader();
  readonly #deliver: (bytes: Uint8Array) => Arrival;
  readonly #highWater: number;
  #unread = 0;
  #end: 'open' | 'end' | 'cut' = 'open';
  #wakeReader: (() => void) | undefined;
  #wakeWriters: (() => void)[] = [];

  constructor(deliver: (bytes: Uint8Array) => Arrival, highWater: number) {
    this.#deliver = deliver;
    this.#highWater = highWater;
  }

  get unread(): number {
    return this.#unread;
  }

  async send(frame: Uint8Array): Promise<void> {
    if (this.#end !== 'open') throw new CarrierError('cut');
    const arrival = this.#deliver(frame);
    if (Array.isArray(arrival)) for (const bytes of arrival) this.push(bytes);
    else if ('ending' in arrival) {
      this.push(arrival.bytes);
      this.finish(arrival.ending);
    }
    if (this.#unread >= this.#highWater) await new Promise<void>((resolve) => this.#wakeWriters.push(resolve));
  }

  push(bytes: Uint8Array): void {
    this.#reader.push(bytes.slice());
    this.#unread += bytes.length;
    this.#wakeReader?.();
  }

  async receive(): Promise<Uint8Array | null> {
    for (;;) {
      const frame = this.#reader.next();
      if (frame) {
        this.#unread -= frame.length;
        if (this.#unread < this.#highWater) this.#releaseWriters();
        return frame;
      }
      if (this.#end === 'cut') throw new CarrierError('cut');
      if (this.#end === 'end') {
        this.#reader.end();
        return null;
      }
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }

  finish(how: 'end' | 'cut'): void {
    if (this.#end === 'cut' || (this.#end === 'end' && how === 'end')) return;
    this.#end = how;
    this.#wakeReader?.();
    this.#releaseWriters();
  }

  #releaseWriters(): void {
    for (const wake of this.#wakeWriters.splice(0)) wake();
  }
}

class LoopbackChannel implements Channel {
  readonly streamId: bigint;
  readonly #out: Pipe;
  readonly #in: Pipe;

  constructor(streamId: bigint, out: Pipe, incoming: Pipe) {
    this.streamId = streamId;
    this.#out = out;
    this.#in = incoming;
  }

  send(frame: Uint8Array): Promise<void> {
    return this.#out.send(frame);
  }

  receive(): Promise<Uint8Array | null> {
    return this.#in.receive();
  }

  finish(): void {
    this.#out.finish('end');
  }

  abort(): void {
    this.#out.finish('cut');
    this.#in.finish('cut');
  }
}

class LoopbackDatagrams implements Datagrams {
  readonly maxBytes = 1_200;
  onDatagram: ((datagram: Uint8Array) => void) | undefined;
  readonly #deliver: (datagram: Uint8Array) => void;

  constructor(deliver: (datagram: Uint8Array) => void) {
    this.#deliver = deliver;
  }

  send(datagram: Uint8Array): void {
    this.#deliver(datagram);
  }
}

/** One side of {@link loopbackPair}. */
export class LoopbackCarrier implements Carrier {
  readonly transport = transportByte.loopback;
  datagrams: LoopbackDatagrams | undefined;
  readonly closed: Promise<void>;
  readonly #link: { open(side: Side, streamId: bigint): Channel; close(): void };
  readonly #side: Side;
  readonly #arrived: Channel[] = [];
  #wake: (() => void) | undefined;
  #isClosed = false;
  #settle!: () => void;

  constructor(link: { open(side: Side, streamId: bigint): Channel; close(): void }, side: Side) {
    this.#link = link;
    this.#side = side;
    this.closed = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  open(streamId: bigint): Channel {
    if (this.#isClosed) throw new CarrierError('cut');
    return this.#link.open(this.#side, streamId);
  }

  async accept(): Promise<Channel | null> {
    for (;;) {
      const channel = this.#arrived.shift();
      if (channel) return channel;
      if (this.#isClosed) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#link.close();
  }

  /** For the other side. */
  arrive(channel: Channel): void {
    this.#arrived.push(channel);
    this.#wake?.();
  }

  /** For the link. */
  end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#wake?.();
    this.#settle();
  }
}

/** What joins the two sides. */
class Link implements LoopbackLink {
  readonly client: LoopbackCarrier;
  readonly gateway: LoopbackCarrier;
  readonly #options: LoopbackOptions;
  readonly #pipes = new Map<string, Pipe>();

  constructor(options: LoopbackOptions) {
    this.#options = options;
    this.client = new LoopbackCarrier(this, 'client');
    this.gateway = new LoopbackCarrier(this, 'gateway');
    if (options.datagrams !== undefined) this.#join(options.datagrams);
  }

  open(side: Side, streamId: bigint): Channel {
    const other = side === 'client' ? 'gateway' : 'client';
    const [there, back] = [this.#pipe(side, streamId), this.#pipe(other, streamId)];
    this[other].arrive(new LoopbackChannel(streamId, back, there));
    return new LoopbackChannel(streamId, there, back);
  }

  #join(deliver: NonNullable<LoopbackOptions['datagrams']>): void {
    const towards = (from: Side, to: LoopbackCarrier) =>
      new LoopbackDatagrams((datagram) => {
        for (const arrival of deliver(from, datagram)) this.injectDatagram(to, arrival);
      });
    this.client.datagrams = towards('client', this.gateway);
    this.gateway.datagrams = towards('gateway', this.client);
  }

  injectDatagram(to: LoopbackCarrier, datagram: Uint8Array): void {
    // Later, as everything that comes over a network.
    queueMicrotask(() => to.datagrams?.onDatagram?.(datagram.slice()));
  }

  #pipe(from: Side, streamId: bigint): Pipe {
    const { fault, highWaterBytes = 64 * 1024 } = this.#options;
    let index = 0;
    const deliver = (bytes: Uint8Array): Arrival =>
      fault ? fault({ from, streamId, index: index++, bytes }) : [bytes];
    const pipe = new Pipe(deliver, highWaterBytes);
    this.#pipes.set(`${from} ${streamId}`, pipe);
    return pipe;
  }

  /** What was sent before is still read; nothing comes after it. */
  close(): void {
    for (const pipe of this.#pipes.values()) pipe.finish('cut');
    this.client.end();
    this.gateway.end();
  }

  get unread(): number {
    return Array.from(this.#pipes.values()).reduce((sum, pipe) => sum + pipe.unread, 0);
  }

  inject(from: Side, streamId: bigint, bytes: Uint8Array): void {
    this.#pipes.get(`${from} ${streamId}`)!.push(bytes);
  }
}

/** What {@link loopbackPair} makes. */
export type LoopbackLink = {
  readonly client: LoopbackCarrier;
  readonly gateway: LoopbackCarrier;
  /** Bytes sent and not yet received, over all channels. */
  readonly unread: number;
  /** The network says something itself, past any fault. */
  inject(from: Side, streamId: bigint, bytes: Uint8Array): void;
  injectDatagram(to: LoopbackCarrier, datagram: Uint8Array): void;
};

/** Two carriers, each the other's peer. Closing either closes both. */
export function loopbackPair(options: LoopbackOptions = {}): LoopbackLink {
  return new Link(options);
}
