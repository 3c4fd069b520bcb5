/**
 * Errors of the stack, with the codes node:net uses, because http, undici and their callers already know those.
 * The data path raises none of them: it drops and counts (stats.ts). They reach the application through its socket.
 */

/** Why a connection could not be made, or ended. */
export type NetworkErrorCode =
  | 'ECONNREFUSED'
  | 'ECONNRESET'
  | 'ECONNABORTED'
  | 'ETIMEDOUT'
  | 'EHOSTUNREACH'
  | 'EADDRINUSE'
  | 'EADDRNOTAVAIL'
  | 'ENOBUFS'
  | 'EPIPE';

/** An error of the network or the peer; a wrong argument is a TypeError or RangeError instead. */
export class NetworkError extends Error {
  readonly code: NetworkErrorCode;
  /** The call that failed, as node:net names it. */
  readonly syscall: 'connect' | 'listen' | 'read' | 'write';
  constructor(code: NetworkErrorCode, syscall: NetworkError['syscall'], options?: ErrorOptions) {
    super(`${syscall} ${code}`, options);
    this.name = 'NetworkError';
    this.code = code;
    this.syscall = syscall;
  }
}
