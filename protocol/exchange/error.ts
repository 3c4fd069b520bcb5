/** How the content of a stream fails to be what it claims: an HTTP head or a WebSocket message. */

/** `too_large` is a limit of ours, `malformed` anything else. */
export type ExchangeErrorCode = 'malformed' | 'too_large';

export class ExchangeError extends Error {
  readonly code: ExchangeErrorCode;
  constructor(code: ExchangeErrorCode, what: string) {
    super(`exchange: ${code} (${what})`);
    this.name = 'ExchangeError';
    this.code = code;
  }
}
