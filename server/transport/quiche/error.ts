/** What can be wrong with the HTTP/3 a peer speaks. The peer is told the number, nothing else. */

/** RFC 9114 section 8.1, RFC 9204 section 6, and WebTransport draft-02 for the last one. */
export const http3ErrorNumber = {
  no_error: 0x100,
  internal: 0x102,
  stream_creation: 0x103,
  closed_critical_stream: 0x104,
  frame_unexpected: 0x105,
  frame_error: 0x106,
  excessive_load: 0x107,
  id_error: 0x108,
  settings_error: 0x109,
  missing_settings: 0x10a,
  request_rejected: 0x10b,
  request_incomplete: 0x10d,
  message_error: 0x10e,
  qpack_failed: 0x200,
  qpack_encoder_stream: 0x201,
  qpack_decoder_stream: 0x202,
  buffered_stream_rejected: 0x3994bd84,
} as const;
export type Http3ErrorCode = keyof typeof http3ErrorNumber;

export class Http3Error extends Error {
  readonly code: Http3ErrorCode;
  constructor(code: Http3ErrorCode, options?: ErrorOptions) {
    super(`http3: ${code}`, options);
    this.name = 'Http3Error';
    this.code = code;
  }
}
