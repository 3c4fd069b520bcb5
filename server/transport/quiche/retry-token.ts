/**
 * The token of a QUIC Retry (RFC 9000, section 8.1.2): proof that the client receives at the address it sends from, so that
 * nobody spends our memory, or our bandwidth against a third party, from an address that is not theirs. It carries the
 * connection id the client first chose, which the handshake must repeat. We keep nothing until it comes back.
 *
 *     0   32  HMAC-SHA256(key, time | address | our id | their id)
 *     32   8  time, ms
 *     40   n  their first connection id
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { transportLimits } from '../limits.ts';
import type { Address } from './quic-connection.ts';

const macLength = 32;
const headLength = macLength + 8;

export class RetryTokens {
  readonly #key = randomBytes(32);
  readonly #now: () => number;

  /** `now` is a clock in milliseconds; only differences matter. */
  constructor(now: () => number) {
    this.#now = now;
  }

  mint(peer: Address, ours: Uint8Array, theirs: Uint8Array): Buffer {
    const token = Buffer.alloc(headLength + theirs.length);
    token.writeBigUInt64BE(BigInt(Math.floor(this.#now())), macLength);
    token.set(theirs, headLength);
    token.set(this.#mac(token, peer, ours));
    return token;
  }

  /** The client's first connection id, or undefined when the token is not ours, not for this peer, or too old. */
  open(token: Uint8Array, peer: Address, ours: Uint8Array): Uint8Array | undefined {
    if (token.length < headLength || token.length > headLength + 20) return undefined;
    const bytes = Buffer.from(token);
    if (!timingSafeEqual(bytes.subarray(0, macLength), this.#mac(bytes, peer, ours))) return undefined;
    const age = this.#now() - Number(bytes.readBigUInt64BE(macLength));
    if (age < 0 || age > transportLimits.retryTokenMs) return undefined;
    return new Uint8Array(bytes.subarray(headLength));
  }

  #mac(token: Buffer, peer: Address, ours: Uint8Array): Buffer {
    const mac = createHmac('sha256', this.#key);
    mac.update(token.subarray(macLength, headLength));
    // A NUL ends the address: no two pairs of address and ids give the same bytes, as our ids have one length.
    mac.update(`${peer.host} ${peer.port}\0`);
    return mac.update(ours).update(token.subarray(headLength)).digest();
  }
}
