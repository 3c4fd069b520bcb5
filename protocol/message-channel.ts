/** One channel among those that share a message socket: a queue of frames each way. The carrier moves them. */
import { CarrierError, type Channel } from './carrier.ts';

/** What a channel needs from its carrier. */
export interface MessageHost {
  /** The channel has something to send, or nothing more to do. */
  changed(channel: MessageChannel): void;
  /** Bytes of received frames that were read or thrown away. */
  released(bytes: number): void;
}

interface Outgoing {
  readonly frame: Uint8Array;
  readonly settle: PromiseWithResolvers<void>;
}

/** What ends a direction on the wire (protocol/frames.ts). */
const endOfDirection = new Uint8Array(0);

export class MessageChannel implements Channel {
  readonly streamId: bigint;
  readonly #host: MessageHost;
  readonly #incoming: Uint8Array[] = [];
  #reading: 'open' | 'ended' | 'cut' = 'open';
  #wakeReader: (() => void) | undefined;
  readonly #outgoing: Outgoing[] = [];
  #writing: 'open' | 'ending' | 'over' = 'open';

  constructor(streamId: bigint, host: MessageHost) {
    this.streamId = streamId;
    this.#host = host;
  }

  send(frame: Uint8Array): Promise<void> {
    if (this.#writing !== 'open') return Promise.reject(new CarrierError('cut'));
    const settle = Promise.withResolvers<void>();
    this.#outgoing.push({ frame, settle });
    this.#host.changed(this);
    return settle.promise;
  }

  async receive(): Promise<Uint8Array | null> {
    if (this.#wakeReader !== undefined) throw new TypeError('a receive is under way');
    while (true) {
      const frame = this.#incoming.shift();
      if (frame !== undefined) {
        this.#host.released(frame.length);
        return frame;
      }
      if (this.#reading === 'ended') return null;
      if (this.#reading === 'cut') throw new CarrierError('cut');
      await this.#arrival();
    }
  }

  finish(): void {
    if (this.#writing !== 'open') return;
    this.#writing = 'ending';
    this.#host.changed(this);
  }

  abort(): void {
    this.#rejectOutgoing();
    this.finish();
    this.#endReading('cut');
    this.#host.released(this.#incoming.splice(0).reduce((sum, frame) => sum + frame.length, 0));
    this.#host.changed(this);
  }

  /** True while a frame, or the end of our direction, waits to be sent. */
  get hasOutgoing(): boolean {
    return this.#outgoing.length > 0 || this.#writing === 'ending';
  }

  /** True when neither side will say more. */
  get isOver(): boolean {
    return this.#writing === 'over' && this.#reading !== 'open';
  }

  /** Gives the next frame to `write`, which copies it; the empty one that ends our direction comes last. */
  sendNext(write: (frame: Uint8Array) => void): void {
    const next = this.#outgoing.shift();
    if (next !== undefined) {
      write(next.frame);
      next.settle.resolve();
    } else if (this.#writing === 'ending') {
      this.#writing = 'over';
      write(endOfDirection);
    }
  }

  /** A frame of the peer's. False when nobody will read it. */
  take(frame: Uint8Array): boolean {
    if (this.#reading !== 'open') return false;
    if (frame.length === 0) {
      this.#endReading('ended');
      return false;
    }
    this.#incoming.push(frame);
    this.#wakeReader?.();
    return true;
  }

  /** The carrier is gone. What was received can still be read. */
  cut(): void {
    this.#writing = 'over';
    this.#rejectOutgoing();
    this.#endReading('cut');
  }

  async #arrival(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wakeReader = resolve;
    await promise;
    this.#wakeReader = undefined;
  }

  #endReading(how: 'ended' | 'cut'): void {
    if (this.#reading !== 'open') return;
    this.#reading = how;
    this.#wakeReader?.();
  }

  #rejectOutgoing(): void {
    for (const { settle } of this.#outgoing.splice(0)) settle.reject(new CarrierError('cut'));
  }
}
