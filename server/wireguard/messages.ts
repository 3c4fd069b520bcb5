/**
 * The four messages of WireGuard, byte by byte (paper section 5.4). Integers are little-endian.
 *
 *     Initiation  148   0 u32 type=1 | 4 u32 sender | 8 ephemeral 32 | 40 static 48 | 88 timestamp 28 | 116 mac1 16 | 132 mac2 16
 *     Response     92   0 u32 type=2 | 4 u32 sender | 8 u32 receiver | 12 ephemeral 32 | 44 empty 16 | 60 mac1 16 | 76 mac2 16
 *     CookieReply  64   0 u32 type=3 | 4 u32 receiver | 8 nonce 24 | 32 cookie 32
 *     Transport  >=32   0 u32 type=4 | 4 u32 receiver | 8 u64 counter | 16 sealed packet n+16
 *
 * The type is one byte and three that must be zero. This is the one place where a datagram is parsed; nothing in a
 * parsed message is trusted yet, it only has the right shape. Views into the datagram, not copies.
 */
import type { InitiationTokens, ResponseTokens } from './handshake.ts';
import type { EphemeralPublic } from './keys.ts';
import { COOKIE_BYTES, KEY_BYTES, MAC_BYTES, TAG_BYTES, TIMESTAMP_BYTES } from './limits.ts';

export const INITIATION_BYTES = 148;
export const RESPONSE_BYTES = 92;
export const COOKIE_REPLY_BYTES = 64;
export const TRANSPORT_HEADER_BYTES = 16;
const TRANSPORT_MIN_BYTES = TRANSPORT_HEADER_BYTES + TAG_BYTES;
const MACS_BYTES = 2 * MAC_BYTES;
/** Of the cookie reply, as XChaCha20 has it. */
export const COOKIE_NONCE_BYTES = 24;

export interface Initiation {
  readonly type: 'initiation';
  readonly sender: number;
  readonly tokens: InitiationTokens;
}

export interface Response {
  readonly type: 'response';
  readonly sender: number;
  readonly receiver: number;
  readonly tokens: ResponseTokens;
}

export interface CookieReply {
  readonly type: 'cookie';
  readonly receiver: number;
  readonly nonce: Uint8Array;
  readonly sealedCookie: Uint8Array;
}

export interface Transport {
  readonly type: 'transport';
  readonly receiver: number;
  /** Greater than any counter we take when it does not fit a number exactly. */
  readonly counter: number;
  readonly sealed: Uint8Array;
}

export type Message = Initiation | Response | CookieReply | Transport;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** @param datagram hostile. @returns null for everything that is not one of the four shapes. */
export function parseMessage(datagram: Uint8Array): Message | null {
  if (datagram.length < TRANSPORT_MIN_BYTES) return null;
  const view = viewOf(datagram);
  const at = (offset: number, length: number) => datagram.subarray(offset, offset + length);
  switch (view.getUint32(0, true)) {
    case 1:
      if (datagram.length !== INITIATION_BYTES) return null;
      return {
        type: 'initiation',
        sender: view.getUint32(4, true),
        tokens: {
          ephemeral: at(8, KEY_BYTES) as EphemeralPublic,
          sealedStatic: at(40, KEY_BYTES + TAG_BYTES),
          sealedPayload: at(88, TIMESTAMP_BYTES + TAG_BYTES),
        },
      };
    case 2:
      if (datagram.length !== RESPONSE_BYTES) return null;
      return {
        type: 'response',
        sender: view.getUint32(4, true),
        receiver: view.getUint32(8, true),
        tokens: { ephemeral: at(12, KEY_BYTES) as EphemeralPublic, sealedPayload: at(44, TAG_BYTES) },
      };
    case 3:
      if (datagram.length !== COOKIE_REPLY_BYTES) return null;
      return {
        type: 'cookie',
        receiver: view.getUint32(4, true),
        nonce: at(8, COOKIE_NONCE_BYTES),
        sealedCookie: at(32, COOKIE_BYTES + TAG_BYTES),
      };
    case 4:
      return {
        type: 'transport',
        receiver: view.getUint32(4, true),
        counter: view.getUint32(8, true) + view.getUint32(12, true) * 2 ** 32,
        sealed: datagram.subarray(TRANSPORT_HEADER_BYTES),
      };
    default:
      return null;
  }
}

/** An initiation with both macs still zero (cookie.ts fills them). */
export function buildInitiation(sender: number, tokens: InitiationTokens): Uint8Array {
  const bytes = new Uint8Array(INITIATION_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, 1, true);
  view.setUint32(4, sender, true);
  bytes.set(tokens.ephemeral, 8);
  bytes.set(tokens.sealedStatic, 40);
  bytes.set(tokens.sealedPayload, 88);
  return bytes;
}

/** A response with both macs still zero. */
export function buildResponse(sender: number, receiver: number, tokens: ResponseTokens): Uint8Array {
  const bytes = new Uint8Array(RESPONSE_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, 2, true);
  view.setUint32(4, sender, true);
  view.setUint32(8, receiver, true);
  bytes.set(tokens.ephemeral, 12);
  bytes.set(tokens.sealedPayload, 44);
  return bytes;
}

export function buildCookieReply(receiver: number, nonce: Uint8Array, sealedCookie: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(COOKIE_REPLY_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, 3, true);
  view.setUint32(4, receiver, true);
  bytes.set(nonce, 8);
  bytes.set(sealedCookie, 32);
  return bytes;
}

/** Writes the header of a transport message into the front of `bytes`. */
export function writeTransportHeader(bytes: Uint8Array, receiver: number, counter: number): void {
  const view = viewOf(bytes);
  view.setUint32(0, 4, true);
  view.setUint32(4, receiver, true);
  view.setUint32(8, counter >>> 0, true);
  view.setUint32(12, Math.floor(counter / 2 ** 32), true);
}

/** The parts of a handshake message that the macs cover and are. */
export function macParts(message: Uint8Array): {
  signed1: Uint8Array;
  mac1: Uint8Array;
  signed2: Uint8Array;
  mac2: Uint8Array;
} {
  const end = message.length;
  return {
    signed1: message.subarray(0, end - MACS_BYTES),
    mac1: message.subarray(end - MACS_BYTES, end - MAC_BYTES),
    signed2: message.subarray(0, end - MAC_BYTES),
    mac2: message.subarray(end - MAC_BYTES),
  };
}
