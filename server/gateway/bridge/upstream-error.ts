/**
 * What a person is told of a failed connection to a service: one of a few codes, never the cause.
 * Reads error fields only; messages are for people.
 */
import type { StreamCode } from '../../../protocol/codes.ts';
import { ExchangeError } from '../../../protocol/exchange/error.ts';
import { StreamError } from '../../../protocol/stream-error.ts';
import { HeaderError } from '../exchange/headers.ts';
import { BridgeError } from './tunnel-stream.ts';

const byErrno: Readonly<Record<string, StreamCode>> = {
  EWRONGPEER: 'wrong_peer',
  ECONNREFUSED: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ETIMEDOUT: 'timeout',
};

/** The code of whatever ended an exchange. Anything unknown came from the service's side of it. */
export function streamCodeOf(error: unknown): StreamCode {
  if (error instanceof BridgeError) return error.code;
  if (error instanceof StreamError) return error.code === 'session_closed' ? 'cancelled' : error.code;
  if (error instanceof HeaderError || error instanceof ExchangeError) return 'protocol';
  if (error instanceof TypeError || error instanceof RangeError) return 'internal';
  return byErrno[errnoOf(error)] ?? 'upstream_failed';
}

/** The system's name of an error, or an empty string. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** The status that stands beside the code in a head of the gateway's own making. */
export function statusOf(code: StreamCode): number {
  switch (code) {
    case 'denied':
    case 'wrong_peer':
    case 'policy_stale':
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
