/**
 * How messages sit in a transport (docs/protocol.md, "Messages" and "Records"): where a frame ends in a byte stream,
 * the clear preamble of a stream, and the envelope of a WebSocket message. Knows lengths, nothing of keys or states.
 *
 *     record            0x17      | epoch u8 | length u16 | ciphertext
 *     handshake frame   0x01–0x06 | length u24           | body
 *     stream preamble   0x53 | 0x01 | stream id u64
 *     WebSocket         stream id u64 | frame
 */
import { Reader, Writer } from './bytes.ts';
import { CarrierError } from './carrier.ts';
import * as limits from './limits.ts';

const preambleType = 0x53;
const preambleVersion = 0x01;
const maxHandshakeType = 0x06;

/** Bytes of {@link encodePreamble}. */
export const preambleBytes = 10;

/** The whole length of the frame that begins with these four bytes. @throws CarrierError 'malformed' */
function frameBytes(first: number, second: number, third: number, fourth: number): number {
  if (first === limits.recordType) {
    const length = third * 256 + fourth;
    if (length <= limits.maxRecordBytes + limits.tagBytes) return limits.recordHeaderBytes + length;
  } else if (first >= 1 && first <= maxHandshakeType) {
    const length = second * 65_536 + third * 256 + fourth;
    if (length <= limits.maxHandshakeBodyBytes) return limits.frameHeaderBytes + length;
  }
  throw new CarrierError('malformed');
}

/**
 * Splits a byte stream into frames. A frame inside one chunk is a view of that chunk; only one that spans chunks is
 * copied, once. Holds at most one incomplete frame beside what was pushed and not yet asked for.
 */
export class FrameReader {
  #chunks: Uint8Array[] = [];
  #first = 0;
  #offset = 0;
  #length = 0;

  /** The chunk belongs to the reader from here on. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#length += bytes.length;
  }

  /** The next whole frame, or null until more bytes come. @throws CarrierError 'malformed' */
  next(): Uint8Array | null {
    if (this.#length < limits.frameHeaderBytes) return null;
    const total = frameBytes(this.#peek(0), this.#peek(1), this.#peek(2), this.#peek(3));
    return this.#length < total ? null : this.#take(total);
  }

  /** Takes the clear preamble off the front: the stream's id, or null until its ten bytes are there. */
  preamble(): bigint | null {
    if (this.#length < preambleBytes) return null;
    const reader = new Reader(this.#take(preambleBytes));
    if (reader.u8() !== preambleType || reader.u8() !== preambleVersion) throw new CarrierError('malformed');
    return reader.u64();
  }

  /** Call when the byte stream ended. @throws CarrierError 'cut' in the middle of a frame */
  end(): void {
    if (this.#length !== 0) throw new CarrierError('cut');
  }

  /** The byte `at` positions ahead; the caller knows that it is there. Headers rarely span chunks. */
  #peek(at: number): number {
    let rest = this.#offset + at;
    for (let i = this.#first; ; i++) {
      const chunk = this.#chunks[i]!;
      if (rest < chunk.length) return chunk[rest]!;
      rest -= chunk.length;
    }
  }

  #take(count: number): Uint8Array {
    const chunk = this.#chunks[this.#first]!;
    this.#length -= count;
    if (chunk.length - this.#offset >= count) {
      const frame = chunk.subarray(this.#offset, this.#offset + count);
      this.#advance(count);
      return frame;
    }
    const frame = new Uint8Array(count);
    for (let at = 0; at < count; ) {
      const part = this.#chunks[this.#first]!.subarray(this.#offset, this.#offset + count - at);
      frame.set(part, at);
      at += part.length;
      this.#advance(part.length);
    }
    return frame;
  }

  #advance(count: number): void {
    this.#offset += count;
    if (this.#offset < this.#chunks[this.#first]!.length) return;
    this.#offset = 0;
    this.#chunks[this.#first] = empty; // lets go of the chunk before the array is trimmed
    this.#first++;
    // Trimming half at a time keeps long backlogs linear.
    if (this.#first === this.#chunks.length) this.#chunks = [];
    else if (this.#first >= 64 && 2 * this.#first >= this.#chunks.length)
      this.#chunks = this.#chunks.slice(this.#first);
    else return;
    this.#first = 0;
  }
}

const empty = new Uint8Array(0);

/** The first ten bytes of a stream of the sender's. */
export function encodePreamble(streamId: bigint): Uint8Array<ArrayBuffer> {
  return new Writer().u8(preambleType).u8(preambleVersion).u64(streamId).done();
}

const messageHeaderBytes = 8;

/**
 * One binary WebSocket message. An empty frame says that the sender's direction of this stream has ended: QUIC has a
 * bit for that, WebSocket has none. It carries no authority, since only an authenticated FIN ends a stream's data;
 * forging or dropping it can cut a stream, which whoever holds the transport can do anyway.
 */
export function encodeMessage(streamId: bigint, frame: Uint8Array): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(messageHeaderBytes + frame.length);
  new DataView(message.buffer).setBigUint64(0, streamId);
  message.set(frame, messageHeaderBytes);
  return message;
}

/** @returns the id and a view of its one frame, empty at the end of the stream. @throws CarrierError 'malformed' */
export function parseMessage(message: Uint8Array): { readonly streamId: bigint; readonly frame: Uint8Array } {
  if (message.length < messageHeaderBytes) throw new CarrierError('malformed');
  const streamId = new Reader(message.subarray(0, messageHeaderBytes)).u64();
  const frame = message.subarray(messageHeaderBytes);
  if (frame.length === 0) return { streamId, frame };
  if (frame.length < limits.frameHeaderBytes) throw new CarrierError('malformed');
  if (frame.length !== frameBytes(frame[0]!, frame[1]!, frame[2]!, frame[3]!)) throw new CarrierError('malformed');
  return { streamId, frame };
}
