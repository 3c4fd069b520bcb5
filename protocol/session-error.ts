/**
 * How a session says that it is over. Thrown inside the protocol when the peer or the path did what docs/protocol.md
 * forbids (every unlisted message is fatal), and handed to callers whose work the end of a session interrupts.
 * Failures of one stream have their own class in stream-error.ts and leave the session alive.
 */
import { DecodeError } from './bytes.ts';
import { CarrierError } from './carrier.ts';
import type { CloseCode } from './codes.ts';
import { KeyExchangeError } from './schedule.ts';

/** The code is what the peer is told and what the log shows; the message never holds a byte of input. */
export class SessionError extends Error {
  readonly code: CloseCode;
  constructor(code: CloseCode, what: string, options?: ErrorOptions) {
    super(`session: ${code} (${what})`, options);
    this.name = 'SessionError';
    this.code = code;
  }
}

/** The code of whatever went wrong while a peer's message was handled. */
export function closeCodeOf(error: unknown): CloseCode {
  if (error instanceof SessionError) return error.code;
  if (error instanceof DecodeError) return 'decode';
  if (error instanceof KeyExchangeError) return 'decrypt';
  if (error instanceof CarrierError && error.code === 'malformed') return 'decode';
  return 'internal';
}
