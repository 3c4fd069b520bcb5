/**
 * What a person is told of a failed connection to a service: one of a few codes, never the cause.
 * Reads error fields only; messages are for people.
 */
import type { StreamCode } from '../../../protocol/codes.ts';
import { ExchangeError } from '../../../protocol/exchange/error.ts';
import { StreamError } from '../../../protocol/stream-error.ts';
import { HeaderError } from '../exchange/headers.ts';
import { BridgeError } from './tunnel-stream.ts';

const byErrno: ReadonlyMap<string, StreamCode> = new Map([
  ['EWRONGPEER', 'wrong_peer'],
  ['ENOTFEDERATED', 'denied'],
  ['ECONNREFUSED', 'unreachable'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ENETUNREACH', 'unreachable'],
  ['EADDRNOTAVAIL', 'unreachable'],
  ['ETIMEDOUT', 'timeout'],
]);

/** The code of whatever ended an exchange. Anything unknown came from the service's side of it. */
export function streamCodeOf(error: unknown): StreamCode {
  if (error instanceof BridgeError) return error.code;
  if (error instanceof StreamError) return error.code === 'session_closed' ? 'cancelled' : error.code;
  if (error instanceof HeaderError || error instanceof ExchangeError) return 'protocol';
  if (error instanceof TypeError || error instanceof RangeError) return 'internal';
  return byErrno.get(errnoOf(error)) ?? 'upstream_failed';
}

/** The system's name of an error, or an empty string. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** What the log may know of a cause. An error of Node's HTTP parser carries the bytes it choked on: never those. */
export interface LoggedError {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly cause: LoggedError | undefined;
}

/** @returns the known fields of an error and its causes, and nothing that happened to be attached to them. */
export function forLog(error: unknown, depth = 0): LoggedError | undefined {
  if (!(error instanceof Error) || depth > 4) return undefined;
  const { name, message, stack, cause } = error;
  return { name, code: errnoOf(error), message, stack, cause: forLog(cause, depth + 1) };
}

/** The status that stands beside the code in a head of the gateway's own making. */
export function statusOf(code: StreamCode): number {
  switch (code) {
    case 'denied':
    case 'wrong_peer':
    case 'policy_stale':
    case 'stepup_required':
      return 403;
    case 'protocol':
      return 400;
    case 'timeout':
      return 504;
    case 'internal':
      return 500;
    default:
      return 502;
  }
}
