/**
 * What a transport gives the session: ordered channels of whole frames, told apart by stream id.
 * WebTransport maps a channel to a bidirectional stream, WebSocket to a prefix of each message; tests to an array.
 * A carrier knows framing (protocol/frames.ts) and nothing of keys.
 */

/** One ordered, reliable, bidirectional sequence of frames. A frame is one handshake frame or one record, whole. */
export interface Channel {
  readonly streamId: bigint;
  /** Resolves when the transport will take more. The bytes belong to the channel until then. */
  send(frame: Uint8Array): Promise<void>;
  /** The next frame; null when the peer's direction ended; rejects with {@link CarrierError} when it was cut. */
  receive(): Promise<Uint8Array | null>;
  /** Ends our direction. */
  finish(): void;
  /** Drops both directions at once. */
  abort(): void;
}

/** Messages that may be lost, repeated or reordered, where the transport has them (QUIC, RFC 9221). */
export interface Datagrams {
  /** The largest that the path takes now, in bytes. */
  readonly maxBytes: number;
  /** Never waits and never throws: what cannot go is dropped. The bytes are the carrier's from then on. */
  send(datagram: Uint8Array): void;
  /** Takes each that comes, the bytes its own; while there is nobody they are dropped. */
  onDatagram: ((datagram: Uint8Array) => void) | undefined;
}

export interface Carrier {
  /** The byte that INIT and th0 carry. */
  readonly transport: TransportByte;
  /** Opens a channel of ours; its id is announced with the first frame at the latest (`0x53 | 0x01 | id` on WebTransport). */
  open(streamId: bigint): Channel;
  /** The next channel the peer opened, its preamble already read; null when the carrier has closed. */
  accept(): Promise<Channel | null>;
  /** Absent on a transport of streams alone. */
  readonly datagrams?: Datagrams | undefined;
  close(): void;
  /** Settles once, never rejects. */
  readonly closed: Promise<void>;
}

export const transportByte = { webtransport: 1, websocket: 2, loopback: 3 } as const;
export type TransportName = keyof typeof transportByte;
export type TransportByte = (typeof transportByte)[TransportName];

export type CarrierErrorCode = 'cut' | 'malformed' | 'unreachable' | 'refused';

export class CarrierError extends Error {
  readonly code: CarrierErrorCode;
  constructor(code: CarrierErrorCode, options?: ErrorOptions) {
    super(`carrier: ${code}`, options);
    this.name = 'CarrierError';
    this.code = code;
  }
}
