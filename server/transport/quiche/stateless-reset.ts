/**
 * QUIC's stateless reset (RFC 9000, section 10.3): after a restart we know no connection any more, but a client that speaks
 * to one can be told so at once, instead of waiting for its idle timeout. The proof is a token told to the client inside the
 * lost connection; it can be computed again from the connection's id by whoever holds the key.
 */
import { createHmac, randomBytes } from 'node:crypto';

const tokenBytes = 16;
/** Looks like any short packet; no shorter than the smallest that the section allows. */
const smallest = 21;
const largest = 42;

export class StatelessReset {
  readonly #key: Uint8Array;

  /** A key that outlives the process makes resets work across restarts. */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** The token for a connection's transport parameters. */
  token(connectionId: Uint8Array): bigint {
    return BigInt(`0x${this.#token(connectionId).toString('hex')}`);
  }

  /** The answer to a packet of an unknown connection; undefined when it would not be smaller, so that resets cannot echo for ever. */
  answer(packet: Uint8Array, connectionId: Uint8Array): Uint8Array | undefined {
    const length = Math.min(packet.length - 1, largest);
    if (length < smallest) return undefined;
    const reset = randomBytes(length);
    reset[0] = 0x40 | (reset[0]! & 0x3f);
    reset.set(this.#token(connectionId), length - tokenBytes);
    return reset;
  }

  #token(connectionId: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(connectionId).digest().subarray(0, tokenBytes);
  }
}
