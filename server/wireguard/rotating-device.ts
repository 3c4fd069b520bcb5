/**
 * A {@link WireGuardDevice} whose key can be changed without a cut: for a while there are two devices at one UDP port,
 * one with the old key and one with the new. A peer stays with the old one until it makes a session with the new one;
 * from then on the old key is nothing to it. Inner addresses do not change, so connections go on.
 *
 *     await device.rotate(newKey);  // peers are told the new public key meanwhile, one after the other
 *     device.retire();              // ends the old key; happens by itself when the last peer has moved
 *
 * WireGuard itself has no rotation of this kind (a peer is named by its key): to a far peer the new key is another peer.
 */
import { type Counters, newCounters } from './counters.ts';
import { type DeviceOptions, type PeerConfig, type PeerStatus, WireGuardDevice } from './device.ts';
import { KEEPALIVE_TIMEOUT_MS, REKEY_TIMEOUT_MS } from './limits.ts';
import { UdpWire } from './udp.ts';
import type { ListenOptions, Wire, WireEvents } from './wire.ts';

/** After so long without a word WireGuard doubts a session (paper section 6.5). */
const doubtMs = KEEPALIVE_TIMEOUT_MS + REKEY_TIMEOUT_MS;

export interface RotatingDeviceOptions extends Omit<DeviceOptions, 'counters'> {
  /** A key of before that peers may still use, 32 bytes; the caller may wipe its own afterwards. */
  readonly oldKey?: Uint8Array | undefined;
}

export class RotatingDevice {
  /** Of both keys together. */
  readonly counters: Counters = newCounters();
  /** These three as of {@link WireGuardDevice}. */
  onPacket: ((packet: Uint8Array, peerPublicKey: string) => void) | undefined;
  onRoutes: (() => void) | undefined;
  onSession: ((peerPublicKey: string) => void) | undefined;
  /** A peer made its first session with the new key; called before {@link onSession}. */
  onMoved: ((peerPublicKey: string) => void) | undefined;
  /** The old key is good for nothing any more. */
  onRetired: (() => void) | undefined;

  readonly #options: Omit<RotatingDeviceOptions, 'oldKey' | 'privateKey'>;
  readonly #wire: Wire;
  /** What each device makes of the datagrams that are its. */
  readonly #events = new Map<WireGuardDevice, WireEvents>();
  readonly #moved = new Set<string>();
  #current: WireGuardDevice;
  #old: WireGuardDevice | undefined;

  constructor({ privateKey, oldKey, ...options }: RotatingDeviceOptions) {
    this.#options = options;
    this.#wire = options.wire ?? new UdpWire();
    this.#current = this.#newDevice(privateKey);
    this.#old = oldKey && this.#newDevice(oldKey);
    this.#lead(this.#current);
  }

  get publicKey(): Uint8Array {
    return this.#current.publicKey;
  }

  /** The old key (base64), and the peers that have not left it; undefined when there is none. */
  get retiring(): { readonly publicKey: string; readonly peers: readonly string[] } | undefined {
    if (this.#old === undefined) return undefined;
    const peers = this.#old.peers().map(({ publicKey }) => publicKey);
    return { publicKey: Buffer.from(this.#old.publicKey).toString('base64'), peers };
  }

  /** @returns whether a peer (base64) is still served by the old key. */
  isWaiting(publicKey: string): boolean {
    return this.#old?.hasPeer(publicKey) === true;
  }

  async listen(options: ListenOptions): Promise<{ port: number }> {
    const { port } = await this.#wire.open(options, {
      receive: (datagram, from) => {
        const device = this.#old?.isFor(datagram) ? this.#old : this.#current;
        this.#events.get(device)?.receive(datagram, from);
      },
      lost: (why) => {
        this.counters[why]++;
      },
    });
    for (const device of this.#devices()) await device.listen({ port });
    return { port };
  }

  /**
   * Serves another key from now on, and the one of before to the peers that are there now. A key that was retiring until
   * now is dropped. Pre-shared keys have to be set again: {@link setPeer} sets them for the new key alone.
   * @param privateKey 32 bytes; the caller may wipe its own afterwards.
   */
  async rotate(privateKey: Uint8Array): Promise<void> {
    const next = this.#newDevice(privateKey);
    await next.listen({ port: 0 });
    // Before it leads: an address that went nowhere for a moment would cut its connections.
    for (const { publicKey, allowedIps, endpoint } of this.#current.peers())
      next.setPeer({ publicKey, allowedIps, ...(endpoint !== undefined && { endpoint }) });
    this.#drop();
    this.#old = this.#current;
    this.#old.onSession = this.#old.onRoutes = undefined;
    this.#current = next;
    this.#lead(next);
    this.#retireIfEmpty();
  }

  /** Ends the old key, whoever still waits. */
  retire(): void {
    if (this.#old === undefined) return;
    this.#drop();
    this.onRetired?.();
  }

  /** As of {@link WireGuardDevice}. A peer that waits keeps what it had with the old key, but for its addresses. */
  setPeer(config: PeerConfig): void {
    this.#current.setPeer(config);
    if (this.#old?.hasPeer(config.publicKey)) this.#old.setAllowedIps(config.publicKey, config.allowedIps);
    else if (!this.#moved.has(config.publicKey)) this.#old?.setPeer(config);
  }

  /** The same for the old key, where the peer waits at it: wherever it is now, and whatever key it was given. */
  setWaitingPeer(config: PeerConfig): void {
    if (this.isWaiting(config.publicKey)) this.#old?.setPeer(config);
  }

  removePeer(publicKey: string): void {
    this.#moved.delete(publicKey);
    this.#old?.removePeer(publicKey);
    this.#current.removePeer(publicKey);
    this.#retireIfEmpty();
  }

  /** As of {@link WireGuardDevice}, for the key that the peer is served by. */
  setPresharedKey(publicKey: string, key: Uint8Array): void {
    this.#serving(publicKey).setPresharedKey(publicKey, key);
  }

  newSession(publicKey: string): void {
    this.#serving(publicKey).newSession(publicKey);
  }

  /**
   * As of {@link WireGuardDevice}. A peer that waits is asked beside whether it knows the new key, as often as WireGuard asks
   * for anything; one that was not heard lately gets the packet by both keys, of which it knows one.
   */
  send(packet: Uint8Array): void {
    const peer = this.#old && this.#current.peerFor(packet);
    if (peer === undefined || !this.isWaiting(peer)) {
      this.#current.send(packet);
      return;
    }
    const isHeard = this.#old?.hasHeard(peer, doubtMs) === true;
    this.#old?.send(packet);
    if (isHeard) this.#current.ask(peer);
    else this.#current.send(packet);
  }

  route(ip: string): string | undefined {
    return this.#current.route(ip);
  }

  peers(): PeerStatus[] {
    const waiting = new Map(this.#old?.peers().map((peer) => [peer.publicKey, peer]));
    return this.#current.peers().map((peer) => waiting.get(peer.publicKey) ?? peer);
  }

  async close(): Promise<void> {
    for (const device of this.#devices()) await device.close();
    await this.#wire.close();
  }

  #devices(): WireGuardDevice[] {
    return this.#old === undefined ? [this.#current] : [this.#current, this.#old];
  }

  #serving(publicKey: string): WireGuardDevice {
    return this.#old?.hasPeer(publicKey) ? this.#old : this.#current;
  }

  #newDevice(privateKey: Uint8Array): WireGuardDevice {
    const wire: Wire = {
      open: async ({ port }, events) => {
        this.#events.set(device, events);
        return { port };
      },
      send: (datagram, to) => this.#wire.send(datagram, to),
      close: async () => {
        this.#events.delete(device);
      },
    };
    const device = new WireGuardDevice({ ...this.#options, privateKey, wire, counters: this.counters });
    device.onPacket = (packet, peer) => this.onPacket?.(packet, peer);
    return device;
  }

  #lead(device: WireGuardDevice): void {
    device.onRoutes = () => this.onRoutes?.();
    device.onSession = (peer) => {
      if (this.isWaiting(peer)) this.#move(peer);
      this.onSession?.(peer);
    };
  }

  #move(peer: string): void {
    this.#moved.add(peer);
    this.#old?.removePeer(peer);
    this.onMoved?.(peer);
    this.#retireIfEmpty();
  }

  #retireIfEmpty(): void {
    if (this.#old?.peers().length === 0) this.retire();
  }

  /** Closing our half of a shared wire ends at once, and cannot fail. */
  #drop(): void {
    void this.#old?.close();
    this.#old = undefined;
    this.#moved.clear();
  }
}
