/**
 * The way of a datagram from the socket to its peer (paper section 5): shape, mac1, load, then the one key operation
 * that the message is worth. Everything that stops on the way is counted under a name and answered by silence,
 * with the cookie reply as the one exception.
 */
import { sourceOf } from '../source-address.ts';
import { TokenBuckets } from '../token-buckets.ts';
import type { CookieIssuer } from './cookie.ts';
import { readInitiation } from './handshake.ts';
import type { Keypair } from './keypair.ts';
import type { StaticPublic } from './keys.ts';
import { SOURCE_HANDSHAKES } from './limits.ts';
import { LoadMeter } from './load.ts';
import { type Initiation, type Message, parseMessage, type Response } from './messages.ts';
import type { Peer, PeerHost } from './peer.ts';
import type { Endpoint } from './wire.ts';

export interface ReceiverParts {
  readonly host: PeerHost;
  readonly issuer: CookieIssuer;
  readonly peerOf: (publicKey: StaticPublic) => Peer | undefined;
}

export class Receiver {
  readonly #host: PeerHost;
  readonly #issuer: CookieIssuer;
  readonly #peerOf: (publicKey: StaticPublic) => Peer | undefined;
  readonly #load: LoadMeter;
  readonly #sources: TokenBuckets;

  constructor({ host, issuer, peerOf }: ReceiverParts) {
    this.#host = host;
    this.#issuer = issuer;
    this.#peerOf = peerOf;
    this.#load = new LoadMeter(host.clock);
    this.#sources = new TokenBuckets(SOURCE_HANDSHAKES, host.clock);
  }

  /** @param datagram hostile. */
  receive(datagram: Uint8Array, from: Endpoint): void {
    const { counters, indices } = this.#host;
    counters.datagramsIn++;
    const message = parseMessage(datagram);
    if (message === null) {
      counters.malformed++;
      return;
    }
    if (message.type === 'initiation') {
      if (this.#admit(datagram, message, from)) this.#takeInitiation(message, from);
      return;
    }
    if (message.type === 'response' && !this.#admit(datagram, message, from)) return;
    const entry = indices.get(message.receiver);
    if (entry === undefined) counters.indexUnknown++;
    else this.#handOver(message, entry.peer, entry.keypair, from, datagram.length);
  }

  /** @param datagram hostile. @returns whether it is meant for this key: nothing is counted. */
  isFor(datagram: Uint8Array): boolean {
    const message = parseMessage(datagram);
    if (message === null) return false;
    if (message.type === 'initiation') return this.#issuer.mac1Holds(datagram);
    return this.#host.indices.get(message.receiver) !== undefined;
  }

  #handOver(
    message: Exclude<Message, Initiation>,
    peer: Peer,
    keypair: Keypair | null,
    from: Endpoint,
    size: number,
  ): void {
    if (message.type === 'response') peer.takeResponse(message, from);
    else if (message.type === 'cookie') peer.takeCookie(message);
    else if (keypair === null) this.#host.counters.indexUnknown++;
    else peer.takeTransport(keypair, message, from, size);
  }

  /** Section 5.3: mac1 always; under load also mac2, and a share for each address. */
  #admit(datagram: Uint8Array, message: Initiation | Response, from: Endpoint): boolean {
    const { counters } = this.#host;
    if (!this.#issuer.mac1Holds(datagram)) {
      counters.mac1Wrong++;
      return false;
    }
    if (!this.#load.note()) return true;
    if (!this.#issuer.mac2Holds(datagram, from)) {
      counters.mac2Wrong++;
      counters.cookiesSent++;
      this.#host.transmit(this.#issuer.reply(datagram, message.sender, from), from);
      return false;
    }
    if (this.#sources.allow(sourceOf(from))) return true;
    counters.sourceLimited++;
    return false;
  }

  #takeInitiation(message: Initiation, from: Endpoint): void {
    const { counters, identity } = this.#host;
    let peer: Peer | undefined;
    let named = false;
    const read = readInitiation({
      local: identity,
      tokens: message.tokens,
      staticSecretOf: (remote) => {
        named = true;
        peer = this.#peerOf(remote);
        return peer?.staticSecret ?? null;
      },
    });
    if (read !== null && peer !== undefined) peer.takeInitiation(read.state, read.payload, message.sender, from);
    else if (named && peer === undefined) counters.peerUnknown++;
    else counters.handshakesFailed++;
  }
}
