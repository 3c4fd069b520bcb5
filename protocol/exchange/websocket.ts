/**
 * WebSocket messages inside a stream, after the request head and the response head of http.ts (docs/protocol.md,
 * "Inside a stream"). The gateway makes the upgrade and answers pings; only messages and the close travel.
 *
 *     opcode u8 (1 text, 2 binary, 8 close) | length u32 | payload        close: u16 code | UTF-8 reason, or nothing
 */
import { DecodeError, Reader, utf8, utf8Decode, Writer } from '../bytes.ts';
import { ByteQueue } from './byte-queue.ts';
import { ExchangeError } from './error.ts';

/** Payload of one message. */
export const maxMessageBytes = 64 * 1024 * 1024;
/** RFC 6455 section 5.5: the payload of a close, its code included. */
const maxCloseBytes = 125;
const headerBytes = 5;

export const opcode = { text: 1, binary: 2, close: 8 } as const;
export type Opcode = (typeof opcode)[keyof typeof opcode];

/** The five bytes before a payload of `length`, which may then be written in pieces. */
export function encodeWebSocketMessageHeader(code: Opcode, length: number): Uint8Array<ArrayBuffer> {
  if (length > maxMessageBytes) throw new ExchangeError('too_large', 'message');
  return new Writer().u8(code).u32(length).done();
}

/** A whole message. */
export function encodeWebSocketMessage(code: Opcode, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(headerBytes + payload.length);
  message.set(encodeWebSocketMessageHeader(code, payload.length));
  message.set(payload, headerBytes);
  return message;
}

/** Why a WebSocket closes; `code` is undefined when the peer gave none (1005 in the browser's terms). */
export type CloseReason = { readonly code: number | undefined; readonly reason: string };

/** A whole close message. @throws TypeError for a reason that no close frame can carry */
export function encodeCloseMessage(close: CloseReason): Uint8Array<ArrayBuffer> {
  if (close.code === undefined) return encodeWebSocketMessage(opcode.close, new Uint8Array(0));
  const payload = new Writer().u16(close.code).bytes(utf8(close.reason)).done();
  if (payload.length > maxCloseBytes) throw new TypeError('a close reason has at most 123 bytes');
  return encodeWebSocketMessage(opcode.close, payload);
}

/** @throws ExchangeError */
export function decodeClose(payload: Uint8Array): CloseReason {
  if (payload.length === 0) return { code: undefined, reason: '' };
  try {
    const reader = new Reader(payload);
    const code = reader.u16();
    return { code, reason: utf8Decode(reader.bytes(reader.remaining)) };
  } catch (error) {
    if (error instanceof DecodeError) throw new ExchangeError('malformed', 'close');
    throw error;
  }
}

/** A piece of a message; `chunk` is a view of what was pushed. An empty message is one piece. */
export type WebSocketPart = {
  readonly opcode: Opcode;
  /** Of the whole payload. */
  readonly length: number;
  readonly chunk: Uint8Array;
  /** True for the last piece of its message. */
  readonly isLast: boolean;
};

/** Splits a stream into messages as it comes, without waiting for a whole one. Hostile input. */
export class WebSocketPartReader {
  readonly #queue = new ByteQueue();
  #current: { readonly opcode: Opcode; readonly length: number; left: number } | undefined;

  /** @returns all that can be told so far. @throws ExchangeError */
  push(bytes: Uint8Array): WebSocketPart[] {
    this.#queue.push(bytes);
    const parts: WebSocketPart[] = [];
    for (let part = this.#next(); part; part = this.#next()) parts.push(part);
    return parts;
  }

  /** True between messages: the only place where a stream may end. */
  get isBetween(): boolean {
    return this.#current === undefined && this.#queue.length === 0;
  }

  #next(): WebSocketPart | undefined {
    this.#current ??= this.#takeHeader();
    const current = this.#current;
    if (!current) return undefined;
    const chunk = current.left === 0 ? new Uint8Array(0) : this.#queue.takeSome(current.left);
    if (!chunk) return undefined;
    current.left -= chunk.length;
    const isLast = current.left === 0;
    if (isLast) this.#current = undefined;
    return { opcode: current.opcode, length: current.length, chunk, isLast };
  }

  #takeHeader(): { opcode: Opcode; length: number; left: number } | undefined {
    const bytes = this.#queue.take(headerBytes);
    if (!bytes) return undefined;
    const reader = new Reader(bytes);
    const code = reader.u8();
    const length = reader.u32();
    if (code !== opcode.text && code !== opcode.binary && code !== opcode.close)
      throw new ExchangeError('malformed', 'opcode');
    const most = code === opcode.close ? maxCloseBytes : maxMessageBytes;
    if (length > most) throw new ExchangeError('too_large', 'message');
    return { opcode: code, length, left: length };
  }
}

/** A whole message. */
export type WebSocketMessage = { readonly opcode: Opcode; readonly payload: Uint8Array };

/** The same, for whoever needs whole messages. Memory follows what came, not what was announced. */
export class WebSocketMessageReader {
  readonly #parts = new WebSocketPartReader();
  readonly #whole: WebSocketMessage[] = [];
  #chunks: Uint8Array[] = [];

  /** @throws ExchangeError */
  push(bytes: Uint8Array): void {
    for (const { opcode: code, length, chunk, isLast } of this.#parts.push(bytes)) {
      this.#chunks.push(chunk);
      if (isLast) this.#whole.push({ opcode: code, payload: this.#join(length) });
    }
  }

  /** The next whole message. */
  next(): WebSocketMessage | undefined {
    return this.#whole.shift();
  }

  /** True between messages: the only place where a stream may end. */
  get isBetween(): boolean {
    return this.#parts.isBetween;
  }

  #join(length: number): Uint8Array {
    const payload = new Uint8Array(length);
    let at = 0;
    for (const chunk of this.#chunks) {
      payload.set(chunk, at);
      at += chunk.length;
    }
    this.#chunks = [];
    return payload;
  }
}
