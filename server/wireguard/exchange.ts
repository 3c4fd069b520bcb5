/**
 * The handshakes of one peer, both roles: at most one initiation of ours is out, and answering one of theirs needs no
 * memory but the timestamp (paper sections 5.1, 5.4). The two roles do not disturb each other, so that two initiations
 * that cross in flight both succeed.
 * Makes keypairs; when to do so is the peer's matter, what to do with them keypair.ts's.
 */
import type { Clock } from '../../protocol/clock.ts';
import { CookieHolder } from './cookie.ts';
import type { CounterName } from './counters.ts';
import { type InitiatorState, type ResponderState, readResponse, writeInitiation, writeResponse } from './handshake.ts';
import type { IndexTable } from './indices.ts';
import { Keypair } from './keypair.ts';
import {
  ephemeralKey,
  type PresharedKey,
  presharedKey,
  type SharedSecret,
  type StaticPrivate,
  type StaticPublic,
  type TransportKey,
} from './keys.ts';
import { INITIATION_INTERVAL_MS, TIMESTAMP_BYTES } from './limits.ts';
import { buildInitiation, buildResponse, type CookieReply, type Response } from './messages.ts';
import { isLater } from './tai64n.ts';

/** A message to send and the session it makes; or the name of the counter of why there is none. */
export type Answer = { readonly message: Uint8Array; readonly keypair: Keypair } | CounterName;

/** What handshakes need of the device. */
export interface ExchangeHost<Peer> {
  readonly clock: Clock;
  readonly random: (length: number) => Uint8Array;
  readonly identity: StaticPrivate;
  readonly indices: IndexTable<Peer>;
  /** Later than every timestamp given before. */
  timestamp(): Uint8Array;
}

export class Exchange<Peer> {
  readonly #peer: Peer;
  readonly #remote: StaticPublic;
  readonly #staticSecret: SharedSecret;
  readonly #host: ExchangeHost<Peer>;
  readonly #cookies: CookieHolder;
  #psk: PresharedKey = presharedKey(undefined);
  #initiation: { state: InitiatorState; localIndex: number } | null = null;
  #latestTimestamp = new Uint8Array(TIMESTAMP_BYTES);
  #answeredAt = Number.NEGATIVE_INFINITY;

  constructor(peer: Peer, remote: StaticPublic, staticSecret: SharedSecret, host: ExchangeHost<Peer>) {
    this.#peer = peer;
    this.#remote = remote;
    this.#staticSecret = staticSecret;
    this.#host = host;
    this.#cookies = new CookieHolder(remote, host.clock);
  }

  setPresharedKey(key: PresharedKey): void {
    this.#psk.fill(0);
    this.#psk = key;
  }

  /** @returns an initiation to send, which takes the place of one that is still out. */
  initiate(): Uint8Array | null {
    const written = writeInitiation({
      local: this.#host.identity,
      remote: this.#remote,
      staticSecret: this.#staticSecret,
      ephemeral: ephemeralKey(this.#host.random),
      payload: this.#host.timestamp(),
    });
    if (written === null) return null;
    this.abandon();
    const localIndex = this.#host.indices.reserve(this.#peer);
    this.#initiation = { state: written.state, localIndex };
    const message = buildInitiation(localIndex, written.tokens);
    this.#cookies.sign(message);
    return message;
  }

  /** Reads the answer to {@link initiate}. A wrong one leaves the wait for the right one as it was. */
  complete(message: Response): Keypair | CounterName {
    const initiation = this.#initiation;
    if (initiation?.localIndex !== message.receiver) return 'indexUnknown';
    const read = readResponse(initiation.state, { tokens: message.tokens, psk: this.#psk });
    if (read === null) return 'handshakesFailed';
    initiation.state.symmetric.wipe();
    this.#initiation = null;
    const { initiator, responder } = read.symmetric.split();
    return this.#session(true, initiator, responder, initiation.localIndex, message.sender);
  }

  /** @param timestamp the initiation's payload: one that is not newer than the last answered is a replay. */
  answer(state: ResponderState, timestamp: Uint8Array, sender: number): Answer {
    try {
      if (!isLater(timestamp, this.#latestTimestamp)) return 'initiationReplayed';
      if (this.#now() - this.#answeredAt < INITIATION_INTERVAL_MS) return 'initiationTooSoon';
      this.#latestTimestamp = Uint8Array.from(timestamp);
      this.#answeredAt = this.#now();
      const ephemeral = ephemeralKey(this.#host.random);
      const tokens = writeResponse(state, { ephemeral, psk: this.#psk });
      if (tokens === null) return 'handshakesFailed';
      const { initiator, responder } = state.symmetric.split();
      const localIndex = this.#host.indices.reserve(this.#peer);
      const message = buildResponse(localIndex, sender, tokens);
      this.#cookies.sign(message);
      return { message, keypair: this.#session(false, responder, initiator, localIndex, sender) };
    } finally {
      state.symmetric.wipe();
    }
  }

  takeCookie(message: CookieReply): boolean {
    return this.#cookies.take(message);
  }

  /** Forgets the initiation that is out. */
  abandon(): void {
    if (this.#initiation === null) return;
    this.#initiation.state.symmetric.wipe();
    this.#host.indices.free(this.#initiation.localIndex);
    this.#initiation = null;
  }

  /** Ends it for good. */
  wipe(): void {
    this.abandon();
    this.#psk.fill(0);
    this.#staticSecret.fill(0);
  }

  #session(
    isInitiator: boolean,
    sendKey: TransportKey,
    receiveKey: TransportKey,
    localIndex: number,
    remoteIndex: number,
  ): Keypair {
    const createdAt = this.#now();
    const keypair = new Keypair({ isInitiator, sendKey, receiveKey, localIndex, remoteIndex, createdAt });
    this.#host.indices.bind(keypair);
    return keypair;
  }

  #now(): number {
    return this.#host.clock.monotonic();
  }
}
