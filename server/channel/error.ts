/** What can go wrong on the control channel, told by code; the peer is told the code and nothing else. */

export type ChannelErrorCode =
  /** The peer sent something that is not a message of this channel. */
  | 'malformed'
  /** A message longer than the limit, or a peer that does not read what it is sent. */
  | 'too_large'
  /** The control plane refused the hello for good. */
  | 'refused'
  | 'closed';

export class ChannelError extends Error {
  readonly code: ChannelErrorCode;
  constructor(code: ChannelErrorCode, options?: ErrorOptions) {
    super(`control channel: ${code}`, options);
    this.name = 'ChannelError';
    this.code = code;
  }
}
