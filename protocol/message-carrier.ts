/**
 * Channels over one socket of messages (WebSocket): each message is `stream id u64 | frame` (protocol/frames.ts).
 * Channels take turns, a frame each, so a long download does not hold up a short answer. A socket that does not drain makes
 * senders wait; a reader that does not read makes the socket stop, where it can.
 */

import { Arrivals } from './arrivals.ts';
import { type Carrier, CarrierError, type Channel, transportByte } from './carrier.ts';
import { encodeMessage, parseMessage } from './frames.ts';
import { MessageChannel, type MessageHost } from './message-channel.ts';
import { PeerStreamIds } from './stream-ids.ts';

/** The socket under a carrier. None of these throws. */
export interface MessageSocket {
  send(message: Uint8Array): void;
  /** Bytes taken by `send` and not yet gone. */
  readonly bufferedBytes: number;
  /** Calls `run` once, when a good part of the buffered bytes has gone or the socket has closed. */
  whenDrained(run: () => void): void;
  /** Stops and restarts incoming messages, where the socket can. */
  pause(): void;
  resume(): void;
  /** Sends what was taken, then closes. */
  close(): void;
}

export interface MessageCarrierOptions {
  readonly socket: MessageSocket;
  /** Which side opens the streams that arrive here. */
  readonly peer: 'client' | 'gateway';
  /** Senders wait while more than this is buffered. */
  readonly bufferedBytes: number;
  /** The socket is paused while more than this waits to be read. */
  readonly pauseAboveBytes: number;
  /** A peer that has got this far in spite of the pause keeps to no credit; the carrier closes. */
  readonly refuseAboveBytes: number;
  /** Channels at one time. */
  readonly channels: number;
  /** A message that was no frame, or of a stream it may not use. */
  readonly onMalformed: () => void;
}

export class MessageCarrier implements Carrier, MessageHost {
  readonly transport = transportByte.websocket;
  readonly closed: Promise<void>;
  readonly #options: MessageCarrierOptions;
  readonly #settleClosed: () => void;
  readonly #channels = new Map<bigint, MessageChannel>();
  readonly #arrivals = new Arrivals<Channel>();
  readonly #peerIds: PeerStreamIds;
  #controlTaken: boolean;
  /** Channels with something to send, in the order of their turns. */
  readonly #turns = new Set<MessageChannel>();
  #draining = false;
  #queuedBytes = 0;
  #paused = false;
  #ended = false;

  constructor(options: MessageCarrierOptions) {
    this.#options = options;
    this.#peerIds = new PeerStreamIds(options.peer);
    // The client opens the control stream, so at the client nobody else may.
    this.#controlTaken = options.peer === 'gateway';
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#settleClosed = resolve;
  }

  /** The peer learns of the channel by its first frame. */
  open(streamId: bigint): Channel {
    if (this.#ended) throw new CarrierError('cut');
    return this.#add(streamId);
  }

  accept(): Promise<Channel | null> {
    return this.#arrivals.next();
  }

  close(): void {
    if (this.#ended) return;
    // What was given to us before goes out before.
    while (this.#turns.size > 0) this.#sendOne();
    this.#options.socket.close();
    this.lost();
  }

  /** For the socket's owner: a message came. */
  message(bytes: Uint8Array): void {
    if (this.#ended) return;
    try {
      const { streamId, frame } = parseMessage(bytes);
      const channel = this.#channels.get(streamId) ?? this.#arrived(streamId);
      if (channel === undefined) return;
      if (channel.take(frame)) this.#queue(frame.length);
      else this.changed(channel);
    } catch {
      // Bytes that are no message cannot be assigned to a stream, so the whole carrier is not to be relied on.
      this.#options.onMalformed();
      this.close();
    }
  }

  /** For the socket's owner: nothing will come or go any more. */
  lost(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#turns.clear();
    for (const channel of this.#channels.values()) channel.cut();
    this.#channels.clear();
    this.#arrivals.end();
    this.#settleClosed();
  }

  changed(channel: MessageChannel): void {
    if (this.#ended) return;
    if (channel.hasOutgoing) {
      this.#turns.add(channel);
      this.#pump();
    } else if (channel.isOver) this.#channels.delete(channel.streamId);
  }

  released(bytes: number): void {
    this.#queuedBytes -= bytes;
    if (!this.#paused || this.#queuedBytes > this.#options.pauseAboveBytes / 2) return;
    this.#paused = false;
    this.#options.socket.resume();
  }

  #pump(): void {
    const { socket, bufferedBytes } = this.#options;
    while (this.#turns.size > 0 && !this.#ended) {
      if (socket.bufferedBytes >= bufferedBytes) {
        this.#waitForDrain();
        return;
      }
      this.#sendOne();
    }
  }

  #waitForDrain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#options.socket.whenDrained(() => {
      this.#draining = false;
      this.#pump();
    });
  }

  /** One frame of the channel whose turn it is; the channel then goes to the back. */
  #sendOne(): void {
    const [channel] = this.#turns;
    if (channel === undefined) return;
    this.#turns.delete(channel);
    channel.sendNext((frame) => this.#options.socket.send(encodeMessage(channel.streamId, frame)));
    if (channel.hasOutgoing) this.#turns.add(channel);
    else if (channel.isOver) this.#channels.delete(channel.streamId);
  }

  /** A message of a stream that has no channel: a new one, or a late word on one that is over, which is dropped. */
  #arrived(streamId: bigint): MessageChannel | undefined {
    if (!this.#isNew(streamId)) return undefined;
    if (this.#channels.size >= this.#options.channels) throw new CarrierError('malformed');
    const channel = this.#add(streamId);
    this.#arrivals.push(channel);
    return channel;
  }

  #isNew(streamId: bigint): boolean {
    if (streamId === 0n) {
      const first = !this.#controlTaken;
      this.#controlTaken = true;
      return first;
    }
    try {
      this.#peerIds.take(streamId);
      return true;
    } catch {
      return false;
    }
  }

  #add(streamId: bigint): MessageChannel {
    const channel = new MessageChannel(streamId, this);
    this.#channels.set(streamId, channel);
    return channel;
  }

  #queue(bytes: number): void {
    this.#queuedBytes += bytes;
    if (this.#queuedBytes > this.#options.refuseAboveBytes) throw new CarrierError('malformed');
    if (this.#paused || this.#queuedBytes <= this.#options.pauseAboveBytes) return;
    this.#paused = true;
    this.#options.socket.pause();
  }
}
