/**
 * Which stream ids the peer may still use (docs/protocol.md, "Records": Streams): its own parity, each id once, up to
 * 1,024 above the highest seen. QUIC delivers first frames out of order, so an id below the highest may be new; those
 * more than 2,048 below are past, which bounds what must be remembered.
 */
import { streamIdWindow } from './limits.ts';
import type { Role } from './record.ts';
import { SessionError } from './session-error.ts';

const memory = BigInt(2 * streamIdWindow);

/** The peer's ids. */
export class PeerStreamIds {
  readonly #parity: bigint;
  #highest = 0n;
  #seen = new Set<bigint>();

  /** @param opener who opens the streams counted here */
  constructor(opener: Role) {
    this.#parity = firstStreamId(opener) % 2n;
  }

  /** @throws SessionError 'decode' for an id the peer may not choose, 'replay' for one it used */
  take(id: bigint): void {
    if (id % 2n !== this.#parity) throw new SessionError('decode', 'stream id parity');
    if (id > this.#highest + BigInt(streamIdWindow)) throw new SessionError('decode', 'stream id too high');
    // Stream 0 is the control stream from the start, so it is past here.
    if (id === 0n || id + memory <= this.#highest || this.#seen.has(id)) throw new SessionError('replay', 'stream id');
    this.#seen.add(id);
    if (id > this.#highest) this.#advance(id);
  }

  #advance(id: bigint): void {
    this.#highest = id;
    if (this.#seen.size <= 4 * streamIdWindow) return;
    for (const old of this.#seen) if (old + memory <= id) this.#seen.delete(old);
  }
}

/** The first id of each side: the client's are even and 0 is the control stream, the gateway's are odd. */
export function firstStreamId(opener: Role): bigint {
  return opener === 'client' ? 2n : 1n;
}

/** Our own ids: they only rise. */
export class OwnStreamIds {
  #next: bigint;

  constructor(opener: Role) {
    this.#next = firstStreamId(opener);
  }

  next(): bigint {
    const id = this.#next;
    this.#next += 2n;
    return id;
  }
}
