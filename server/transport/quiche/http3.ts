/** The numbers and byte shapes of HTTP/3 (RFC 9114) and of WebTransport over it (draft-ietf-webtrans-http3-02, which browsers speak). */
import { encodeVarint } from './varint.ts';

/** Frame types. Types of HTTP/2 that HTTP/3 reserves are errors (RFC 9114, section 7.2.8); unknown ones are skipped. */
export const frameType = {
  data: 0x00,
  headers: 0x01,
  cancelPush: 0x03,
  settings: 0x04,
  pushPromise: 0x05,
  goaway: 0x07,
  maxPushId: 0x0d,
} as const;
export const reservedFrameTypes: ReadonlySet<number> = new Set([0x02, 0x06, 0x08, 0x09]);

/** Types of unidirectional streams. */
export const streamType = {
  control: 0x00,
  push: 0x01,
  qpackEncoder: 0x02,
  qpackDecoder: 0x03,
  webtransport: 0x54,
} as const;

/** The first varint of a WebTransport bidirectional stream; the session's id follows, then the application's bytes. */
export const webtransportStream = 0x41;

/** HTTP/2's SETTINGS identifiers that HTTP/3 forbids (section 7.2.4.1). */
export const reservedSettings: ReadonlySet<number> = new Set([0x00, 0x02, 0x03, 0x04, 0x05]);

export const setting = {
  maxFieldSectionSize: 0x06,
  /** RFC 9220. */
  enableConnectProtocol: 0x08,
  /** RFC 9297. */
  h3Datagram: 0x33,
  /** The same as drafts before the RFC numbered it; Chromium asked for it longest. */
  h3DatagramDraft04: 0xffd277,
  /** ENABLE_WEBTRANSPORT of draft-02. */
  enableWebtransport: 0x2b603742,
  /** WEBTRANSPORT_MAX_SESSIONS of draft-07, which Safari asks for. */
  webtransportMaxSessions: 0xc671706a,
} as const;

/** Capsules (RFC 9297) on the stream of the CONNECT request. */
export const capsuleType = { closeSession: 0x2843 } as const;

/** One frame: type, length, payload. */
export function frame(type: number, payload: Uint8Array): Uint8Array {
  return joined([encodeVarint(type), encodeVarint(payload.length), payload]);
}

/** The payload of SETTINGS. */
export function settingsPayload(settings: readonly (readonly [id: number, value: number])[]): Uint8Array {
  return joined(settings.flatMap(([id, value]) => [encodeVarint(id), encodeVarint(value)]));
}

/** CLOSE_WEBTRANSPORT_SESSION: the application's code, no reason. */
export function closeSessionCapsule(code: number): Uint8Array {
  const body = new Uint8Array(4);
  new DataView(body.buffer).setUint32(0, code);
  return joined([encodeVarint(capsuleType.closeSession), encodeVarint(body.length), body]);
}

/** What opens a WebTransport stream of ours: the signal value and the session it belongs to. */
export function streamHeader(sessionId: number): Uint8Array {
  return joined([encodeVarint(webtransportStream), encodeVarint(sessionId)]);
}

/**
 * An application's 32-bit error code as a QUIC stream error (draft-02, section 4.3): the range starts at a fixed number
 * and steps over every code that HTTP/3 reserves for greasing.
 */
export function streamErrorNumber(code: number): number {
  return 0x52e4a40fa8db + code + Math.floor(code / 0x1e);
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
