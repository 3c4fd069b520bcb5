/** How one stream fails while the session lives on. The session's own failures are in session-error.ts. */
import type { StreamCode } from './codes.ts';

export type StreamErrorCode = StreamCode | 'session_closed';

/** What a reader, a writer or an opener gets instead of data. */
export class StreamError extends Error {
  readonly code: StreamErrorCode;
  /** The id under which the other end's audit knows a refusal; lower-case hexadecimal. */
  readonly correlation?: string;
  constructor(code: StreamErrorCode, correlation?: string) {
    super(`stream: ${code}`);
    this.name = 'StreamError';
    this.code = code;
    if (correlation !== undefined) this.correlation = correlation;
  }
}
