/**
 * Framing of the control channel: one JSON document after its length, on any ordered byte stream.
 *
 *     0  4  length of what follows, big-endian, 2..maxMessageBytes
 *     4  n  UTF-8 JSON, one object
 *
 * Bytes inside are base64url text. Not for bulk data: service traffic never crosses this channel.
 */
import { ChannelError } from './error.ts';
import { maxMessageBytes } from './limits.ts';

const headerBytes = 4;

/** @throws ChannelError `too_large` when the document is over the limit. */
export function encodeMessage(message: object): Uint8Array {
  const body = Buffer.from(JSON.stringify(message), 'utf8');
  if (body.length > maxMessageBytes) throw new ChannelError('too_large');
  const frame = Buffer.allocUnsafe(headerBytes + body.length);
  frame.writeUInt32BE(body.length, 0);
  body.copy(frame, headerBytes);
  return frame;
}

/** Cuts a byte stream into documents; takes any split of the bytes. */
export class MessageReader {
  #pending: Uint8Array[] = [];
  #length = 0;

  push(bytes: Uint8Array): void {
    this.#pending.push(bytes);
    this.#length += bytes.length;
  }

  /**
   * @returns the next whole document, parsed but not yet judged, or undefined when more bytes are needed.
   * @throws ChannelError `too_large` or `malformed`; the stream is of no use after that.
   */
  next(): unknown {
    if (this.#length < headerBytes) return undefined;
    const joined = this.#join();
    const length = joined.readUInt32BE(0);
    if (length > maxMessageBytes) throw new ChannelError('too_large');
    if (joined.length < headerBytes + length) return undefined;
    const body = joined.subarray(headerBytes, headerBytes + length);
    const rest = joined.subarray(headerBytes + length);
    this.#pending = rest.length === 0 ? [] : [rest];
    this.#length = rest.length;
    return parse(body);
  }

  #join(): Buffer {
    const [only] = this.#pending;
    const joined =
      this.#pending.length === 1 && only !== undefined
        ? Buffer.from(only.buffer, only.byteOffset, only.byteLength)
        : Buffer.concat(this.#pending);
    this.#pending = [joined];
    return joined;
  }
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch (cause) {
    throw new ChannelError('malformed', { cause });
  }
}
