/**
 * The frame of a handshake message on the control stream: `type u8 | length u24 | body`, the body at most 16,384 bytes.
 */
import { concat, DecodeError, Reader, Writer } from './bytes.ts';
import { type CloseCode, closeCode, nameOf } from './codes.ts';
import { maxHandshakeBodyBytes } from './limits.ts';

/** The messages of docs/protocol.md, "Handshake", by the byte on the wire. */
export const messageType = { init: 1, retry: 2, resp: 3, auth: 4, ready: 5, reject: 6 } as const;
export type MessageType = keyof typeof messageType;

export function encodeFrame(type: MessageType, body: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat(new Writer().u8(messageType[type]).u24(body.length).done(), body);
}

/** @returns the type and a view of the body. @throws DecodeError unless `frame` is exactly one frame of a known type. */
export function decodeFrame(frame: Uint8Array): { readonly type: MessageType; readonly body: Uint8Array } {
  const reader = new Reader(frame);
  const type = nameOf(messageType, reader.u8());
  if (type === undefined) throw new DecodeError('unknown handshake message');
  const length = reader.u24();
  if (length > maxHandshakeBodyBytes) throw new DecodeError('handshake message too long');
  const body = reader.bytes(length);
  reader.end();
  return { type, body };
}

/** The three reasons a gateway may give before there are keys; a client believes none of them, it waits. */
export type RejectReason = Extract<CloseCode, 'version' | 'suite' | 'too_many'>;
const rejectReasons: readonly CloseCode[] = ['version', 'suite', 'too_many'] satisfies RejectReason[];

export function encodeReject(reason: RejectReason): Uint8Array<ArrayBuffer> {
  return encodeFrame('reject', Uint8Array.of(closeCode[reason]));
}

export function decodeReject(body: Uint8Array): RejectReason {
  const reader = new Reader(body);
  const reason = nameOf(closeCode, reader.u8());
  reader.end();
  if (reason === undefined || !rejectReasons.includes(reason)) throw new DecodeError('REJECT code');
  return reason as RejectReason; // checked against the list on the line above
}
