/**
 * Contents of the records that open, refuse, credit and end a stream (docs/protocol.md, "Records").
 *
 *     OPEN      kind u8 | policy epoch u64 | flags u16 | u8 len, service id        OPEN_OK   nothing
 *     OPEN_ERR  code u8 | correlation id 16                                        RST       code u8
 *     WINDOW    additional credit u32                                              FIN       nothing
 */
import { assertLength, DecodeError, hex, Reader, utf8, utf8Decode, Writer } from './bytes.ts';
import { nameOf, type StreamCode, type StreamKind, streamCode, streamKind } from './codes.ts';
import { maxServiceBytes } from './limits.ts';

/** Bytes of a correlation id: names one refusal in the audit, opens nothing. */
export const correlationBytes = 16;

/** A correlation id as people read it and logs write it: lower-case hexadecimal. */
export function correlationText(correlation: Uint8Array): string {
  return hex(correlation);
}

/** What the opener asks for. */
export type OpenRequest = {
  readonly kind: StreamKind;
  readonly service: string;
  /** The policy the opener knows; the gateway decides by its own. */
  readonly policyEpoch: bigint;
  readonly flags: number;
};

export function encodeOpen(request: OpenRequest): Uint8Array<ArrayBuffer> {
  const service = utf8(request.service);
  if (service.length === 0 || service.length > maxServiceBytes) throw new TypeError('service: 1 to 64 bytes');
  return new Writer().u8(streamKind[request.kind]).u64(request.policyEpoch).u16(request.flags).vec8(service).done();
}

/** @throws DecodeError */
export function decodeOpen(content: Uint8Array): OpenRequest {
  const reader = new Reader(content);
  const kind = nameOf(streamKind, reader.u8());
  const policyEpoch = reader.u64();
  const flags = reader.u16();
  const service = utf8Decode(reader.vec8());
  reader.end();
  if (kind === undefined || service.length === 0 || service.length > maxServiceBytes) throw new DecodeError('OPEN');
  return { kind, service, policyEpoch, flags };
}

/** Why a stream was refused, and under which id the audit knows it. */
export type Refusal = { readonly code: StreamCode; readonly correlation: Uint8Array };

export function encodeRefusal(refusal: Refusal): Uint8Array<ArrayBuffer> {
  assertLength('correlation', refusal.correlation, correlationBytes);
  return new Writer().u8(streamCode[refusal.code]).bytes(refusal.correlation).done();
}

export function decodeRefusal(content: Uint8Array): Refusal {
  const reader = new Reader(content);
  const code = knownCode(reader.u8());
  const correlation = reader.bytes(correlationBytes).slice();
  reader.end();
  return { code, correlation };
}

export function encodeReset(code: StreamCode): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(streamCode[code]);
}

export function decodeReset(content: Uint8Array): StreamCode {
  const reader = new Reader(content);
  const code = knownCode(reader.u8());
  reader.end();
  return code;
}

/** A code of a later version ends the stream all the same. */
function knownCode(value: number): StreamCode {
  return nameOf(streamCode, value) ?? 'internal';
}

export function encodeWindow(credit: number): Uint8Array<ArrayBuffer> {
  return new Writer().u32(credit).done();
}

export function decodeWindow(content: Uint8Array): number {
  const reader = new Reader(content);
  const credit = reader.u32();
  reader.end();
  return credit;
}
