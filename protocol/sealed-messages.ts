/**
 * RESP, AUTH and READY: their layouts, clear and sealed (docs/protocol.md, "Handshake"). Nothing here seals or signs.
 *
 *   RESP   0  2 version | 2 suite | 32 random | 1120 share_g         1156  u16 length | AEAD(kg, 0, ad = th2) of
 *          time u64 ms | ext_len u16 | ext | sig_g 3373 | zeros to a multiple of 256
 *   AUTH   AEAD(kc, 0, ad = th3) of  u16 len,svid | u16 len=40,posture | sig_c 3373 | fin_c 32 | zeros to 10,240
 *   READY  AEAD(kg, 1, ad = th5) of  params 50 | fin_g 32 | zeros to 256
 *
 * Latchkey/1 defines no extension: a RESP that carries one is refused, so that nothing optional can be stripped.
 */
import { assertLength, concat, copy, DecodeError, Reader, Writer } from './bytes.ts';
import { suite, version } from './init.ts';
import * as limits from './limits.ts';

/** The clear part of RESP, which th2 hashes. */
export function encodeRespClear(random: Uint8Array, share: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Writer().u16(version).u16(suite).bytes(random).bytes(share).done();
}

export function encodeResp(clear: Uint8Array, sealed: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Writer().bytes(clear).vec16(sealed).done();
}

/** Views into a RESP. `clear` is everything before the sealed part's length. */
export type Resp = {
  readonly version: number;
  readonly suite: number;
  readonly share: Uint8Array;
  readonly clear: Uint8Array;
  readonly sealed: Uint8Array;
};

export function decodeResp(body: Uint8Array): Resp {
  const reader = new Reader(body);
  const [chosenVersion, chosenSuite] = [reader.u16(), reader.u16()];
  reader.bytes(limits.hashBytes); // gateway random: it only has to be hashed
  const share = reader.bytes(limits.answerBytes);
  const sealed = reader.vec16();
  reader.end();
  const clear = body.subarray(0, limits.respClearBytes);
  return { version: chosenVersion, suite: chosenSuite, share, clear, sealed };
}

/** The plaintext of RESP without padding, which th3 hashes. */
export function encodeRespPlain(timeMs: number, signature: Uint8Array): Uint8Array<ArrayBuffer> {
  assertLength('sig_g', signature, limits.compositeSignatureBytes);
  return new Writer().u64(timeMs).u16(0).bytes(signature).done();
}

/** @returns sig_g and the plaintext without padding (views). The gateway's time is for show: no clock decides here. */
export function decodeRespPlain(padded: Uint8Array): { readonly signature: Uint8Array; readonly plain: Uint8Array } {
  const reader = new Reader(padded);
  reader.u64();
  if (reader.u16() !== 0) throw new DecodeError('RESP extension');
  const signature = reader.bytes(limits.compositeSignatureBytes);
  const plain = padded.subarray(0, padded.length - reader.remaining);
  if (padded.length !== paddedLength(plain.length)) throw new DecodeError('RESP padding');
  reader.zeros();
  return { signature, plain };
}

export function padResp(plain: Uint8Array): Uint8Array<ArrayBuffer> {
  return padTo(plain, paddedLength(plain.length));
}

const paddedLength = (length: number): number => Math.ceil(length / limits.respPaddingBytes) * limits.respPaddingBytes;

function padTo(plain: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  if (plain.length > length) throw new RangeError('the content is longer than its padded form');
  return concat(plain, new Uint8Array(length - plain.length));
}

/** What AUTH carries. */
export type Auth = {
  readonly svid: Uint8Array;
  /** SHA-256(statement) 32 | time u64 */
  readonly posture: Uint8Array;
  readonly signature: Uint8Array;
  readonly finish: Uint8Array;
};

/** One length for every identity. @throws RangeError when the credential is too long to hide. */
export function encodeAuth(auth: Auth): Uint8Array<ArrayBuffer> {
  assertLength('posture', auth.posture, limits.postureBytes);
  assertLength('sig_c', auth.signature, limits.compositeSignatureBytes);
  const plain = new Writer().vec16(auth.svid).vec16(auth.posture).bytes(auth.signature).bytes(auth.finish).done();
  return padTo(plain, limits.authPlainBytes);
}

/** Copies: the opener's view is gone at the next open, and verifying takes a while. */
export function decodeAuth(padded: Uint8Array): Auth {
  const reader = new Reader(copy(padded));
  const [svid, posture] = [reader.vec16(), reader.vec16()];
  if (posture.length !== limits.postureBytes) throw new DecodeError('AUTH posture');
  const signature = reader.bytes(limits.compositeSignatureBytes);
  const finish = reader.bytes(limits.hashBytes);
  reader.zeros();
  if (padded.length !== limits.authPlainBytes) throw new DecodeError('AUTH length');
  return { svid, posture, signature, finish };
}

export function encodeReady(params: Uint8Array, finish: Uint8Array): Uint8Array<ArrayBuffer> {
  assertLength('params', params, limits.paramsBytes);
  return padTo(concat(params, finish), limits.readyPlainBytes);
}

/** Copies, as {@link decodeAuth}. */
export function decodeReady(padded: Uint8Array): { readonly params: Uint8Array; readonly finish: Uint8Array } {
  const reader = new Reader(copy(padded));
  const params = reader.bytes(limits.paramsBytes);
  const finish = reader.bytes(limits.hashBytes);
  reader.zeros();
  if (padded.length !== limits.readyPlainBytes) throw new DecodeError('READY length');
  return { params, finish };
}
