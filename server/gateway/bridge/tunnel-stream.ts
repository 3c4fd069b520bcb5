/**
 * The part of a tunnel stream that the bridge uses, and the two ways an exchange can end badly. Written as an interface
 * so that the bridge can be driven by anything that reads and writes: a session's stream, or a pair of queues in a test.
 */
import type { StreamCode } from '../../../protocol/codes.ts';
import type { Stream } from '../../../protocol/stream.ts';

export type TunnelStream = Pick<Stream, 'read' | 'write' | 'finish' | 'reset' | 'closed'>;

/** An exchange that cannot go on. The client is told the code; the cause stays in the local log. */
export class BridgeError extends Error {
  readonly code: StreamCode;
  constructor(code: StreamCode, options?: ErrorOptions) {
    super(`exchange: ${code}`, options);
    this.name = 'BridgeError';
    this.code = code;
  }
}

/** What an exchange moved, for the log and the audit. */
export interface ExchangeOutcome {
  readonly status?: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}
