/**
 * A WireGuard peer inside this process: no kernel module, no interface, no root (Donenfeld, "WireGuard: Next Generation
 * Kernel Network Tunnel"). Inner IP packets go in by {@link WireGuardDevice.send} and come out at
 * {@link WireGuardDevice.onPacket}; what speaks TCP over them is server/netstack/.
 *
 *     const device = new WireGuardDevice({ privateKey });
 *     device.setPeer({ publicKey, allowedIps: ['100.100.7.2/32'], endpoint: '192.0.2.1:51820' });
 *     device.onPacket = (packet) => stack.input(packet);
 *     await device.listen({ port: 51820 });
 *
 * Packets are dropped and counted ({@link WireGuardDevice.counters}), never answered by an exception; only
 * configuration can fail, with a {@link WireGuardError}.
 */
import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import type { Clock } from '../../protocol/clock.ts';
import { addressOrNull } from '../netstack/address.ts';
import { AllowedIps } from './allowed-ips.ts';
import { CookieIssuer } from './cookie.ts';
import { type Counters, newCounters } from './counters.ts';
import { WireGuardError } from './errors.ts';
import { IndexTable } from './indices.ts';
import { formatPrefix, type Prefix, parsePrefix, readIpHeader } from './ip.ts';
import { decodePublicKey, encodePublicKey, PrivateKey, presharedKey, type StaticPublic } from './keys.ts';
import { DEFAULT_MTU, MAX_PACKET_BYTES, MAX_PEERS } from './limits.ts';
import { Peer, type PeerHost } from './peer.ts';
import { Receiver } from './receiver.ts';
import { systemClock } from './system-clock.ts';
import { StampIssuer } from './tai64n.ts';
import { UdpWire } from './udp.ts';
import { formatEndpoint, type ListenOptions, parseEndpoint, type Wire } from './wire.ts';

/** The part of a logger that the device uses; pino's fits. */
export interface DeviceLog {
  warn(fields: object, message: string): void;
}

export interface DeviceOptions {
  /** 32 bytes; the caller may wipe its own afterwards. */
  readonly privateKey: Uint8Array;
  readonly clock?: Clock;
  readonly log?: DeviceLog;
  /** Cryptographically secure; each result is a fresh array. */
  readonly random?: (length: number) => Uint8Array;
  readonly wire?: Wire;
  /** Of the tunnel: bounds the padding. Default 1420. */
  readonly mtu?: number;
  /** Where several devices count together. */
  readonly counters?: Counters;
}

export interface PeerConfig {
  /** Base64. */
  readonly publicKey: string;
  /** 32 bytes; without it there is none, also when there was one before. */
  readonly presharedKey?: Uint8Array;
  /** Addresses and prefixes, IPv4 and IPv6; replaces those of before. */
  readonly allowedIps: readonly string[];
  /** host:port or [v6]:port; without it the peer is where it was, or will be heard. */
  readonly endpoint?: string;
  /** Whole seconds up to 65,535; 0 or nothing for never. */
  readonly persistentKeepaliveS?: number;
}

export interface PeerStatus {
  readonly publicKey: string;
  readonly endpoint: string | undefined;
  readonly allowedIps: string[];
  /** Milliseconds since the Unix epoch. */
  readonly lastHandshake: number | undefined;
  /** Outer bytes. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly persistentKeepaliveS: number;
}

export class WireGuardDevice {
  readonly publicKey: Uint8Array;
  /** What happened to packets, by name. */
  readonly counters: Counters;
  /** Gets each inner packet that a peer sent from an address that is its own; the packet may be kept. */
  onPacket: ((packet: Uint8Array, peerPublicKey: string) => void) | undefined;
  /** Called after peers or their addresses changed. */
  onRoutes: (() => void) | undefined;
  /** Called when a handshake with a peer is complete, with the pre-shared key that was set then. */
  onSession: ((peerPublicKey: string) => void) | undefined;

  readonly #host: PeerHost;
  readonly #receiver: Receiver;
  readonly #wire: Wire;
  readonly #log: DeviceLog | undefined;
  readonly #peers = new Map<string, Peer>();
  readonly #routes = new AllowedIps<Peer>();
  #closed = false;

  constructor(options: DeviceOptions) {
    const identity = new PrivateKey<StaticPublic>(options.privateKey);
    const clock = options.clock ?? systemClock;
    const random = options.random ?? randomBytes;
    const stamps = new StampIssuer(clock);
    this.publicKey = identity.publicKey;
    this.counters = options.counters ?? newCounters();
    this.#wire = options.wire ?? new UdpWire();
    this.#log = options.log;
    this.#host = {
      clock,
      random,
      identity,
      indices: new IndexTable(random),
      counters: this.counters,
      mtu: options.mtu ?? DEFAULT_MTU,
      timestamp: () => stamps.next(),
      transmit: (datagram, to) => {
        this.counters.datagramsOut++;
        this.#wire.send(datagram, to);
      },
      ownerOf: (source) => this.#routes.lookup(source),
      deliver: (packet, from) => this.#deliver(packet, from),
      sessionMade: (peer) => this.onSession?.(peer.name),
    };
    this.#receiver = new Receiver({
      host: this.#host,
      issuer: new CookieIssuer(identity.publicKey, { clock, random }),
      peerOf: (publicKey) => this.#peers.get(encodePublicKey(publicKey)),
    });
  }

  /** Opens the UDP sockets; once. */
  listen(options: ListenOptions): Promise<{ port: number }> {
    this.#mustBeOpen();
    return this.#wire.open(options, {
      receive: (datagram, from) => {
        if (!this.#closed) this.#receiver.receive(datagram, from);
      },
      lost: (why) => {
        this.counters[why]++;
      },
    });
  }

  /**
   * Adds a peer or changes one; sessions go on, and saying the same again changes nothing. A prefix that another peer
   * had becomes this one's. A peer that has moved is only sent back to an endpoint that is new.
   * @throws WireGuardError before anything is changed.
   */
  setPeer(config: PeerConfig): void {
    this.#mustBeOpen();
    const prefixes = config.allowedIps.map(parsePrefix);
    const endpoint = config.endpoint === undefined ? undefined : parseEndpoint(config.endpoint);
    const keepaliveS = config.persistentKeepaliveS ?? 0;
    if (!Number.isInteger(keepaliveS) || keepaliveS < 0 || keepaliveS > 65_535) {
      throw new WireGuardError('keepalive_malformed', 'A persistent keepalive is 0 to 65535 whole seconds.');
    }
    const psk = presharedKey(config.presharedKey);
    const peer = this.#peers.get(config.publicKey) ?? this.#newPeer(config.publicKey);
    this.#peers.set(peer.name, peer);
    peer.setPresharedKey(psk);
    const moved = this.#assign(peer, prefixes);
    if (endpoint !== undefined && peer.expectAt(config.endpoint!)) void this.#locate(peer, endpoint);
    peer.setPersistentKeepalive(keepaliveS * 1000);
    if (moved) this.onRoutes?.();
  }

  /** Changes a peer's addresses alone. @param publicKey base64; no peer's is no error */
  setAllowedIps(publicKey: string, allowedIps: readonly string[]): void {
    const peer = this.#peers.get(publicKey);
    if (peer !== undefined && this.#assign(peer, allowedIps.map(parsePrefix))) this.onRoutes?.();
  }

  /** Changes a peer's pre-shared key alone, from its next handshake on. @param publicKey base64; no peer's is no error */
  setPresharedKey(publicKey: string, key: Uint8Array): void {
    this.#peers.get(publicKey)?.setPresharedKey(presharedKey(key));
  }

  /** Begins a handshake at once, for a key that must not wait for the next one. */
  newSession(publicKey: string): void {
    this.#peers.get(publicKey)?.newSession();
  }

  /** The same, but not sooner after the last attempt than a repetition would be. */
  ask(publicKey: string): void {
    this.#peers.get(publicKey)?.ask();
  }

  /** @param publicKey base64; one that is not a peer's is no error. */
  removePeer(publicKey: string): void {
    const peer = this.#peers.get(publicKey);
    if (peer === undefined) return;
    this.#peers.delete(publicKey);
    this.#routes.release(peer);
    peer.close();
    this.onRoutes?.();
  }

  /** Sends an inner packet to the peer whose allowed IPs hold its destination. */
  send(packet: Uint8Array): void {
    const header = readIpHeader(packet);
    if (header === null) this.counters.packetMalformed++;
    else if (packet.length > MAX_PACKET_BYTES) this.counters.packetTooLarge++;
    else {
      const peer = this.#routes.lookup(header.destination);
      if (peer === undefined) this.counters.routeMissing++;
      else peer.send(packet);
    }
  }

  /** @returns the public key (base64) of the peer that an inner address leads to. */
  route(ip: string): string | undefined {
    const address = addressOrNull(ip);
    return address === null ? undefined : this.#routes.lookup(address)?.name;
  }

  /** @returns the public key (base64) of the peer that an inner packet would go to. */
  peerFor(packet: Uint8Array): string | undefined {
    const header = readIpHeader(packet);
    return header === null ? undefined : this.#routes.lookup(header.destination)?.name;
  }

  /** @returns whether something authentic of a peer (base64) came within `ms`. */
  hasHeard(publicKey: string, ms: number): boolean {
    const heardAt = this.#peers.get(publicKey)?.heardAt ?? Number.NEGATIVE_INFINITY;
    return this.#host.clock.monotonic() - heardAt <= ms;
  }

  hasPeer(publicKey: string): boolean {
    return this.#peers.has(publicKey);
  }

  /** @returns whether a datagram is for this device's key, or for a session of it, where several share a port. */
  isFor(datagram: Uint8Array): boolean {
    return this.#receiver.isFor(datagram);
  }

  peers(): PeerStatus[] {
    return [...this.#peers.values()].map((peer) => ({
      publicKey: peer.name,
      endpoint: peer.endpoint && formatEndpoint(peer.endpoint),
      allowedIps: this.#routes.prefixesOf(peer).map(formatPrefix),
      ...peer.traffic,
      persistentKeepaliveS: peer.keepaliveMs / 1000,
    }));
  }

  /** Wipes all keys and closes the sockets. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const peer of this.#peers.values()) {
      this.#routes.release(peer);
      peer.close();
    }
    this.#peers.clear();
    this.onRoutes?.();
    await this.#wire.close();
  }

  #newPeer(name: string): Peer {
    const publicKey = decodePublicKey(name);
    if (name === encodePublicKey(this.#host.identity.publicKey)) {
      throw new WireGuardError('key_own', "That is this device's own public key.");
    }
    if (this.#peers.size >= MAX_PEERS) throw new WireGuardError('peer_limit', 'The device has no room for more peers.');
    const secret = this.#host.identity.exchange(publicKey);
    if (secret === null) throw new WireGuardError('key_malformed', 'That public key is a point of low order.');
    return new Peer(publicKey, secret, this.#host);
  }

  /** False when the peer has exactly these already. */
  #assign(peer: Peer, prefixes: Prefix[]): boolean {
    const wanted = new Set(prefixes.map(formatPrefix));
    const present = this.#routes.prefixesOf(peer).map(formatPrefix);
    if (present.length === wanted.size && present.every((prefix) => wanted.has(prefix))) return false;
    this.#routes.assign(peer, prefixes);
    return true;
  }

  async #locate(peer: Peer, { host, port, literal }: ReturnType<typeof parseEndpoint>): Promise<void> {
    if (literal) {
      peer.setEndpoint({ address: host, port });
      return;
    }
    peer.awaitEndpoint();
    try {
      const { address } = await lookup(host);
      if (this.#peers.get(peer.name) === peer) peer.setEndpoint({ address, port });
    } catch {
      peer.endpointUnknown();
      this.#log?.warn({ peer: peer.name }, 'the name of a WireGuard endpoint does not resolve');
    }
  }

  #deliver(packet: Uint8Array, from: Peer): void {
    try {
      this.onPacket?.(packet, from.name);
    } catch (cause) {
      this.counters.consumerFailed++;
      this.#log?.warn({ err: cause }, 'the receiver of WireGuard packets threw');
    }
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new WireGuardError('closed', 'This WireGuard device is closed.');
  }
}
