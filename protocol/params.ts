/**
 * What the gateway decides for a session: the 50 clear bytes of READY (docs/protocol.md, "READY").
 *
 *     0  16  session id          16  8  policy epoch
 *    24   2  rekey after, s      26  2  reject after, s
 *    28   8  rekey after, bytes  36  4  max streams
 *    40   2  max record          42  8  reauthenticate by, ms
 */
import { assertLength, copy, DecodeError, Reader, Writer } from './bytes.ts';
import * as limits from './limits.ts';

/** The terms of one session. */
export type SessionParams = {
  /** 16 bytes, for logs and audit: names the session, opens nothing. */
  readonly sessionId: Uint8Array;
  readonly policyEpoch: bigint;
  readonly rekeyAfterS: number;
  readonly rejectAfterS: number;
  readonly rekeyAfterBytes: bigint;
  readonly maxStreams: number;
  readonly maxRecord: number;
  /** ms since 1970: without a REAUTH by then the session ends. */
  readonly reauthBy: bigint;
};

export function encodeParams(params: SessionParams): Uint8Array<ArrayBuffer> {
  assertLength('sessionId', params.sessionId, limits.sessionIdBytes);
  return new Writer()
    .bytes(params.sessionId)
    .u64(params.policyEpoch)
    .u16(params.rekeyAfterS)
    .u16(params.rejectAfterS)
    .u64(params.rekeyAfterBytes)
    .u32(params.maxStreams)
    .u16(params.maxRecord)
    .u64(params.reauthBy)
    .done();
}

/** @throws DecodeError for terms outside the specification's bounds too: an authenticated peer can still be wrong. */
export function decodeParams(bytes: Uint8Array): SessionParams {
  const reader = new Reader(bytes);
  const params: SessionParams = {
    sessionId: copy(reader.bytes(limits.sessionIdBytes)),
    policyEpoch: reader.u64(),
    rekeyAfterS: reader.u16(),
    rejectAfterS: reader.u16(),
    rekeyAfterBytes: reader.u64(),
    maxStreams: reader.u32(),
    maxRecord: reader.u16(),
    reauthBy: reader.u64(),
  };
  reader.end();
  if (!withinBounds(params)) throw new DecodeError('session parameters out of bounds');
  return params;
}

function withinBounds(params: SessionParams): boolean {
  return (
    params.rekeyAfterS > 0 &&
    params.rejectAfterS > params.rekeyAfterS &&
    params.rekeyAfterBytes >= limits.minRekeyAfterBytes &&
    params.rekeyAfterBytes <= limits.maxRekeyAfterBytes &&
    params.maxStreams > 0 &&
    params.maxRecord > 0 &&
    params.maxRecord <= limits.maxRecordBytes
  );
}
