/**
 * One peer of a device: its session keys, what waits for them, and where it was last heard from.
 * Handshakes are made in exchange.ts, the rules of time are in timers.ts; which peer a packet belongs to the device
 * decides. Packets are dropped and counted here, never refused by an exception.
 */
import type { CounterName, Counters } from './counters.ts';
import { Exchange, type ExchangeHost } from './exchange.ts';
import type { ResponderState } from './handshake.ts';
import { readIpHeader } from './ip.ts';
import { type Keypair, Keypairs } from './keypair.ts';
import { encodePublicKey, type PresharedKey, type SharedSecret, type StaticPublic } from './keys.ts';
import {
  KEEPALIVE_TIMEOUT_MS,
  MAX_STAGED_PACKETS,
  REJECT_AFTER_TIME_MS,
  REKEY_AFTER_MESSAGES,
  REKEY_AFTER_TIME_MS,
  REKEY_TIMEOUT_MS,
} from './limits.ts';
import { type CookieReply, INITIATION_BYTES, RESPONSE_BYTES, type Response, type Transport } from './messages.ts';
import { PeerTimers } from './timers.ts';
import { type Endpoint, sameEndpoint } from './wire.ts';

/** What a peer asks of its device. */
export interface PeerHost extends ExchangeHost<Peer> {
  readonly counters: Counters;
  readonly mtu: number;
  transmit(datagram: Uint8Array, to: Endpoint): void;
  ownerOf(source: Uint8Array): Peer | undefined;
  deliver(packet: Uint8Array, from: Peer): void;
  /** A handshake with the peer is complete. */
  sessionMade(peer: Peer): void;
}

const keepalive = new Uint8Array(0);

export class Peer {
  /** The public key in base64. */
  readonly name: string;
  /** DH of the two static keys. */
  readonly staticSecret: SharedSecret;
  readonly #host: PeerHost;
  readonly #exchange: Exchange<Peer>;
  readonly #timers: PeerTimers;
  readonly #keypairs: Keypairs;
  #endpoint: Endpoint | undefined;
  #configuredAt: string | undefined;
  #awaitsEndpoint = false;
  #keepaliveMs = 0;
  #staged: Uint8Array[] = [];
  #initiatedAt = Number.NEGATIVE_INFINITY;
  #renewedBeforeReject = false;
  #lastHandshake: number | undefined;
  #heardAt = Number.NEGATIVE_INFINITY;
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(publicKey: StaticPublic, staticSecret: SharedSecret, host: PeerHost) {
    this.name = encodePublicKey(publicKey);
    this.staticSecret = staticSecret;
    this.#host = host;
    this.#exchange = new Exchange(this, publicKey, staticSecret, host);
    this.#keypairs = new Keypairs((index) => host.indices.free(index));
    this.#timers = new PeerTimers(host.clock, host.random, {
      retryHandshake: () => this.#initiate(),
      giveUp: () => this.#giveUp(),
      sendKeepalive: () => this.#sendKeepalive(),
      startHandshake: () => this.#startHandshake(),
      eraseKeys: () => this.#erase(),
    });
  }

  get endpoint(): Endpoint | undefined {
    return this.#endpoint;
  }

  get keepaliveMs(): number {
    return this.#keepaliveMs;
  }

  /** For people; nothing secret. */
  get traffic(): { lastHandshake: number | undefined; bytesIn: number; bytesOut: number } {
    return { lastHandshake: this.#lastHandshake, bytesIn: this.#bytesIn, bytesOut: this.#bytesOut };
  }

  /** When something authentic last came, by the monotonic clock. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Takes effect with the next handshake. */
  setPresharedKey(key: PresharedKey): void {
    this.#exchange.setPresharedKey(key);
  }

  /**
   * Takes note of where the configuration says the peer is; the same text again is no news, since the peer may have
   * moved meanwhile. True when it has to be looked for there.
   */
  expectAt(configured: string): boolean {
    const news = configured !== this.#configuredAt || (this.#endpoint === undefined && !this.#awaitsEndpoint);
    this.#configuredAt = configured;
    return news;
  }

  setEndpoint(endpoint: Endpoint): void {
    this.#awaitsEndpoint = false;
    this.#endpoint = endpoint;
    this.#flush();
  }

  /** A name is being looked up: packets wait for {@link setEndpoint} as for a handshake. */
  awaitEndpoint(): void {
    this.#awaitsEndpoint = true;
  }

  /** The look-up failed. */
  endpointUnknown(): void {
    this.#awaitsEndpoint = false;
    if (this.#endpoint === undefined) this.#dropStaged();
  }

  /** @param ms 0 for never. */
  setPersistentKeepalive(ms: number): void {
    if (ms === this.#keepaliveMs) return;
    const begins = ms > 0 && this.#keepaliveMs === 0;
    this.#keepaliveMs = ms;
    this.#timers.setPersistentKeepalive(ms);
    if (begins) this.#sendKeepalive();
  }

  /** Sends one inner packet: now, or, as a copy, when there is a session. */
  send(packet: Uint8Array): void {
    if (this.#endpoint === undefined && !this.#awaitsEndpoint) {
      this.#count('endpointMissing');
      return;
    }
    const keypair = this.#keypairs.current;
    const now = this.#staged.length === 0 && this.#endpoint !== undefined && keypair?.maySend(this.#now());
    if (now) {
      this.#transmitPacket(keypair!, packet);
      return;
    }
    this.#stage(Uint8Array.from(packet));
    this.#flush();
  }

  /** Answers an initiation that readInitiation found to be from this peer. */
  takeInitiation(state: ResponderState, timestamp: Uint8Array, sender: number, from: Endpoint): void {
    const answer = this.#exchange.answer(state, timestamp, sender);
    if (typeof answer === 'string') {
      this.#count(answer);
      return;
    }
    this.#keypairs.installResponded(answer.keypair);
    this.#endpoint = from;
    this.#bytesIn += INITIATION_BYTES;
    this.#heard();
    this.#timers.sessionDerived();
    this.#transmit(answer.message);
  }

  /** The answer to our initiation, or somebody's attempt at one. */
  takeResponse(message: Response, from: Endpoint): void {
    const keypair = this.#exchange.complete(message);
    if (typeof keypair === 'string') {
      this.#count(keypair);
      return;
    }
    this.#keypairs.installInitiated(keypair);
    this.#endpoint = from;
    this.#bytesIn += RESPONSE_BYTES;
    this.#heard();
    this.#timers.sessionDerived();
    this.#completed();
    this.#sendKeepalive(); // what waits, or an empty packet: the responder may not send before it
  }

  takeCookie(message: CookieReply): void {
    this.#count(this.#exchange.takeCookie(message) ? 'cookiesTaken' : 'cookiesRefused');
  }

  /** @param size of the whole datagram, for the statistics. */
  takeTransport(keypair: Keypair, message: Transport, from: Endpoint, size: number): void {
    const opened = keypair.open(message.counter, message.sealed, this.#now());
    if (typeof opened === 'string') {
      this.#count(opened);
      return;
    }
    const confirmed = this.#keypairs.confirm(keypair);
    if (confirmed) this.#completed();
    // Roaming: only what is authentic moves a peer.
    if (!sameEndpoint(this.#endpoint, from)) this.#endpoint = from;
    this.#bytesIn += size;
    this.#heard();
    if (confirmed) this.#flush();
    this.#renewWhileReceiving(keypair);
    if (opened.length > 0) this.#takePacket(opened);
  }

  /** Begins a handshake now, however short ago the last one began. */
  newSession(): void {
    this.#initiatedAt = Number.NEGATIVE_INFINITY;
    this.#startHandshake();
  }

  /** Begins a handshake unless one was begun within REKEY_TIMEOUT. */
  ask(): void {
    this.#startHandshake();
  }

  /** Ends everything; the peer is of no use after it. */
  close(): void {
    this.#timers.close();
    this.#erase();
    this.#exchange.wipe();
  }

  #heard(): void {
    this.#heardAt = this.#now();
    this.#timers.authenticatedReceived();
  }

  #takePacket(padded: Uint8Array): void {
    this.#timers.dataReceived();
    const header = readIpHeader(padded);
    if (header === null) {
      this.#count('packetMalformed');
      return;
    }
    if (this.#host.ownerOf(header.source) !== this) {
      this.#count('sourceRefused');
      return;
    }
    this.#host.deliver(padded.subarray(0, header.totalLength), this);
  }

  /** Somebody wants to send: the attempts get their full time (again). */
  #startHandshake(): void {
    this.#timers.attemptsBegin();
    this.#initiate();
  }

  #initiate(): void {
    if (this.#endpoint === undefined || this.#now() - this.#initiatedAt < REKEY_TIMEOUT_MS) return;
    const message = this.#exchange.initiate();
    if (message === null) {
      this.#count('handshakesFailed');
      return;
    }
    this.#initiatedAt = this.#now();
    this.#transmit(message);
    this.#timers.initiationSent();
  }

  #completed(): void {
    this.#timers.handshakeCompleted();
    this.#renewedBeforeReject = false;
    this.#lastHandshake = this.#host.clock.now();
    this.#count('handshakesCompleted');
    this.#host.sessionMade(this);
  }

  #stage(packet: Uint8Array): void {
    if (this.#staged.length >= MAX_STAGED_PACKETS) {
      this.#staged.shift();
      this.#count('stagedDropped');
    }
    this.#staged.push(packet);
  }

  #flush(): void {
    while (this.#staged.length > 0 && this.#endpoint !== undefined) {
      const keypair = this.#keypairs.current;
      if (!keypair?.maySend(this.#now())) {
        this.#startHandshake();
        return;
      }
      this.#transmitPacket(keypair, this.#staged.shift()!);
    }
  }

  #sendKeepalive(): void {
    if (this.#staged.length === 0) this.#staged.push(keepalive);
    this.#flush();
  }

  #transmitPacket(keypair: Keypair, packet: Uint8Array): void {
    this.#transmit(keypair.seal(packet, this.#host.mtu));
    if (packet.length > 0) this.#timers.dataSent();
    this.#renewWhileSending(keypair);
  }

  #transmit(datagram: Uint8Array): void {
    this.#bytesOut += datagram.length;
    this.#host.transmit(datagram, this.#endpoint!);
    this.#timers.authenticatedSent();
  }

  /** Paper section 6.2: only the initiator renews by time, or both would at once. */
  #renewWhileSending(keypair: Keypair): void {
    const old = keypair.isInitiator && this.#now() - keypair.createdAt >= REKEY_AFTER_TIME_MS;
    if (old || keypair.counter > REKEY_AFTER_MESSAGES) this.#startHandshake();
  }

  /** Section 6.2: an initiator that only receives renews in time for the keepalive and one more attempt. */
  #renewWhileReceiving(keypair: Keypair): void {
    if (this.#renewedBeforeReject || !keypair.isInitiator || keypair !== this.#keypairs.current) return;
    const limit = REJECT_AFTER_TIME_MS - KEEPALIVE_TIMEOUT_MS - REKEY_TIMEOUT_MS;
    if (this.#now() - keypair.createdAt < limit) return;
    this.#renewedBeforeReject = true;
    this.#startHandshake();
  }

  #giveUp(): void {
    this.#count('handshakesGivenUp');
    this.#exchange.abandon();
    this.#dropStaged();
  }

  #erase(): void {
    this.#exchange.abandon();
    this.#dropStaged();
    this.#keypairs.wipe();
  }

  #dropStaged(): void {
    this.#host.counters.stagedDropped += this.#staged.filter((packet) => packet.length > 0).length;
    this.#staged = [];
  }

  #now(): number {
    return this.#host.clock.monotonic();
  }

  #count(name: CounterName): void {
    this.#host.counters[name]++;
  }
}
