/**
 * What a finished handshake hands to the session, the same on both ends, and how one that failed says so.
 * The session owns the secrets from then on; the handshake keeps none.
 */
import { DecodeError } from './bytes.ts';
import type { CloseCode } from './codes.ts';
import { ObjectError } from './lks1.ts';
import type { SessionParams } from './params.ts';
import { type EpochSecrets, KeyExchangeError } from './schedule.ts';
import type { VerifiedSvid } from './svid.ts';

/** The result of one handshake. */
export type Established = {
  readonly epoch: EpochSecrets;
  readonly params: SessionParams;
  /** Who is at the other end: the person's credential for a gateway, the gateway's identity key for a client. */
  readonly peer: VerifiedSvid | { readonly gatewayPublicKey: Uint8Array };
  /** The composite key that signed AUTH, and that signs each REAUTH. */
  readonly sessionPublicKey: Uint8Array;
};

/** One step of a handshake: what to send, and at the end what was established. */
export type HandshakeStep = { readonly send?: Uint8Array; readonly established?: Established };

/** `silent`: the first message proved nothing about its sender, so it is not answered at all. */
export type HandshakeErrorCode = CloseCode | 'silent';

/**
 * The handshake is over and has no keys left. The code is for the local log and the person in front of it;
 * the peer is sent {@link HandshakeError.reject} where there is one, otherwise the connection just closes.
 */
export class HandshakeError extends Error {
  readonly code: HandshakeErrorCode;
  /** A framed REJECT to send before closing. */
  readonly reject: Uint8Array | undefined;
  constructor(code: HandshakeErrorCode, reject?: Uint8Array, options?: ErrorOptions) {
    super(`handshake: ${code}`, options);
    this.name = 'HandshakeError';
    this.code = code;
    this.reject = reject;
  }
}

/** The one place that says which code a cause has. What nobody foresaw is `internal`, with its cause kept. */
export function asHandshakeError(cause: unknown): HandshakeError {
  if (cause instanceof HandshakeError) return cause;
  return new HandshakeError(codeOf(cause), undefined, { cause });
}

function codeOf(cause: unknown): HandshakeErrorCode {
  if (cause instanceof DecodeError) return 'decode';
  if (cause instanceof KeyExchangeError) return 'decrypt';
  if (cause instanceof ObjectError) return cause.code === 'expired' ? 'expired' : 'bad_svid';
  return 'internal';
}
