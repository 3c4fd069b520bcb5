/**
 * The datagrams of one WebTransport session: each begins with a quarter of the number of the session's request stream
 * (RFC 9297 section 2.1), so that datagrams of several sessions can be told apart.
 */
import type { Datagrams } from '../../../protocol/carrier.ts';
import type { QuicConnection } from './quic-connection.ts';
import { encodeVarint } from './varint.ts';

export class SessionDatagramsOverQuic implements Datagrams {
  onDatagram: ((datagram: Uint8Array) => void) | undefined;
  readonly #connection: Pick<QuicConnection, 'maxDatagramBytes' | 'sendDatagram'>;
  readonly #prefix: Uint8Array;

  constructor(connection: Pick<QuicConnection, 'maxDatagramBytes' | 'sendDatagram'>, requestStream: number) {
    this.#connection = connection;
    this.#prefix = encodeVarint(requestStream / 4);
  }

  get maxBytes(): number {
    return Math.max(0, this.#connection.maxDatagramBytes - this.#prefix.length);
  }

  send(datagram: Uint8Array): void {
    const bytes = new Uint8Array(this.#prefix.length + datagram.length);
    bytes.set(this.#prefix);
    bytes.set(datagram, this.#prefix.length);
    this.#connection.sendDatagram(bytes);
  }

  /** For the connection. @param bytes hostile; what is for no session of ours is dropped */
  arrived(bytes: Uint8Array): void {
    if (!this.#prefix.every((byte, i) => bytes[i] === byte)) return;
    this.onDatagram?.(bytes.subarray(this.#prefix.length));
  }
}
