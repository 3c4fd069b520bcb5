/**
 * A WireGuard interface of the system in place of the embedded device: the same calls, so that nothing above it knows
 * which one is there. The interface belongs to Latchkey: it gets the gateway's key and exactly its peers, and whatever
 * else somebody puts there is put right at the next look.
 *
 * Configuring takes time where the embedded device needs none, so changes stand in a queue, and what happens on the
 * interface is learned by looking at it. A handshake counts for {@link SystemDevice.onSession} when it was seen after
 * every change to its peer was made.
 */
import { wipe } from '../../../protocol/bytes.ts';
import type { Clock } from '../../../protocol/clock.ts';
import { addressOrNull } from '../../netstack/address.ts';
import { AllowedIps } from '../allowed-ips.ts';
import type { DeviceLog, PeerConfig, PeerStatus } from '../device.ts';
import { WireGuardError } from '../errors.ts';
import { encodePublicKey, PrivateKey, type StaticPublic } from '../keys.ts';
import type { ListenOptions } from '../wire.ts';
import type { InterfaceState, WireGuardInterface } from './interface.ts';
import { WantedPeer } from './wanted-peer.ts';

/** How often the interface is looked at; sooner while a session is awaited. */
const lookEveryMs = 1_000;
const lookSoonMs = 100;
const hurriedLooks = 50;
/** Sets off a handshake where it is the first that a peer has (wireguard-go and the kernel alike). */
const shortestKeepaliveS = 1;

export interface SystemDeviceOptions {
  /** 32 bytes; copied. */
  readonly privateKey: Uint8Array;
  readonly link: WireGuardInterface;
  readonly clock: Clock;
  readonly log: DeviceLog;
}

export class SystemDevice {
  readonly publicKey: Uint8Array;
  onRoutes: (() => void) | undefined;
  onSession: ((peerPublicKey: string) => void) | undefined;
  readonly #options: SystemDeviceOptions;
  readonly #privateKey: Uint8Array;
  readonly #peers = new Map<string, WantedPeer>();
  readonly #routes = new AllowedIps<string>();
  #port = 0;
  /** Changes so far. */
  #changes = 0;
  #isConfigured = false;
  /** That it is not, was said. */
  #isSaid = false;
  #turn: Promise<void> = Promise.resolve();
  #cancelLook = () => {};
  #closed = false;

  constructor(options: SystemDeviceOptions) {
    this.#options = options;
    this.#privateKey = Uint8Array.from(options.privateKey);
    this.publicKey = new PrivateKey<StaticPublic>(options.privateKey).publicKey;
  }

  /** The interface is there and has our key and peers. */
  get isUp(): boolean {
    return this.#isConfigured;
  }

  /** Takes the interface over. Where it is not there yet, it is waited for, and nothing is carried. */
  async listen({ port }: ListenOptions): Promise<{ port: number }> {
    this.#port = port;
    this.#look();
    await this.#turn;
    return { port: this.#port };
  }

  /** As WireGuardDevice. @throws WireGuardError before anything is changed. */
  setPeer(config: PeerConfig): void {
    const peer = new WantedPeer(config);
    const before = this.#peers.get(peer.name);
    if (before?.isSameAs(peer) === true) {
      peer.wipe();
      return;
    }
    if (peer.name === encodePublicKey(this.publicKey as StaticPublic))
      throw new WireGuardError('key_own', "That is this device's own public key.");
    const moved = before?.allowedIps.join() !== peer.allowedIps.join();
    const goes = before?.endpoint !== peer.endpoint;
    if (before !== undefined) peer.continues(before);
    this.#peers.set(peer.name, peer);
    if (moved) this.#routes.assign(peer.name, peer.prefixes);
    this.#change(peer, async () => {
      const endpoint = goes ? await peer.resolved() : undefined;
      await this.#options.link.write({ peers: [peer.change(endpoint)] });
    });
    if (moved) this.onRoutes?.();
  }

  setPresharedKey(publicKey: string, key: Uint8Array): void {
    const peer = this.#peers.get(publicKey);
    if (peer === undefined) return;
    peer.setPresharedKey(key);
    this.#change(peer, () => this.#options.link.write({ peers: [peer.change(undefined)] }));
  }

  /** Ends the session that is there and begins another: an interface has no other way to be told so. */
  newSession(publicKey: string): void {
    const peer = this.#peers.get(publicKey);
    if (peer === undefined) return;
    this.#change(peer, async () => {
      const { link } = this.#options;
      const there = (await link.read()).peers.find((one) => one.publicKey === publicKey);
      const endpoint = there?.endpoint ?? (await peer.resolved());
      const first = peer.change(endpoint, peer.keepaliveS || shortestKeepaliveS);
      await link.write({ peers: [{ publicKey, remove: true }, first] });
      if (peer.keepaliveS === 0) await link.write({ peers: [peer.change(undefined)] });
      peer.handshakeAt = undefined;
      peer.hurriedLooks = hurriedLooks;
    });
  }

  removePeer(publicKey: string): void {
    const peer = this.#peers.get(publicKey);
    if (peer === undefined) return;
    this.#peers.delete(publicKey);
    this.#routes.release(publicKey);
    peer.wipe();
    this.#change(undefined, () => this.#options.link.write({ peers: [{ publicKey, remove: true }] }));
    this.onRoutes?.();
  }

  route(ip: string): string | undefined {
    const address = addressOrNull(ip);
    return address === null ? undefined : this.#routes.lookup(address);
  }

  /** As of the last look. */
  peers(): PeerStatus[] {
    return [...this.#peers.values()].map(({ status }) => status);
  }

  /** Takes the peers and their keys off the interface; the interface itself is the system's. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelLook();
    const gone = [...this.#peers.keys()].map((publicKey) => ({ publicKey, remove: true }) as const);
    await this.#turn;
    if (this.#isConfigured) await this.#options.link.write({ peers: gone }).catch(() => undefined);
    this.#isConfigured = false;
    for (const peer of this.#peers.values()) peer.wipe();
    wipe(this.#privateKey);
    this.#peers.clear();
    this.onRoutes?.();
  }

  #change(peer: WantedPeer | undefined, make: () => Promise<void>): void {
    this.#changes++;
    if (peer !== undefined) peer.changedAt = this.#changes;
    this.#enqueue(async () => {
      // What is not there yet gets everything at once when it comes.
      if (this.#isConfigured) await make();
    });
    this.#lookIn(lookSoonMs);
  }

  #look(): void {
    this.#enqueue(async () => {
      const asOf = this.#changes;
      const state = await this.#options.link.read();
      if (this.#closed) return;
      if (!this.#isConfigured || this.#strayed(state, asOf)) await this.#configure(state);
      else for (const peer of this.#peers.values()) if (peer.changedAt <= asOf) this.#take(peer, state);
    });
    this.#enqueue(async () => {
      const hurried = [...this.#peers.values()].filter((peer) => peer.hurriedLooks > 0);
      for (const peer of hurried) peer.hurriedLooks--;
      this.#lookIn(this.#isConfigured && hurried.length > 0 ? lookSoonMs : lookEveryMs);
    });
  }

  #lookIn(ms: number): void {
    this.#cancelLook();
    if (!this.#closed) this.#cancelLook = this.#options.clock.after(ms, () => this.#look());
  }

  /** Another key, other peers, or other addresses than ours, and no change of ours under way that would explain it. */
  #strayed(state: InterfaceState, asOf: number): boolean {
    if (state.publicKey !== encodePublicKey(this.publicKey as StaticPublic)) return true;
    if (this.#changes > asOf) return false;
    const there = new Map(state.peers.map((peer) => [peer.publicKey, peer]));
    return (
      there.size !== this.#peers.size || [...this.#peers.values()].some((peer) => !peer.isAsIn(there.get(peer.name)))
    );
  }

  async #configure(state: InterfaceState): Promise<void> {
    this.#port ||= state.port;
    const wanted = [...this.#peers.values()];
    const peers = await Promise.all(
      wanted.map(async (peer) => peer.change(peer.seen?.endpoint ?? (await peer.resolved()))),
    );
    await this.#options.link.write({ self: { privateKey: this.#privateKey, port: this.#port }, peers });
    for (const peer of wanted) peer.handshakeAt = undefined;
    if (this.#port === 0) this.#port = (await this.#options.link.read()).port;
    this.#isConfigured = true;
    this.#isSaid = false;
  }

  #take(peer: WantedPeer, state: InterfaceState): void {
    const seen = state.peers.find(({ publicKey }) => publicKey === peer.name);
    peer.seen = seen;
    if (seen?.lastHandshake === undefined || seen.lastHandshake === peer.handshakeAt) return;
    peer.handshakeAt = seen.lastHandshake;
    peer.hurriedLooks = 0;
    this.onSession?.(peer.name);
  }

  #enqueue(work: () => Promise<void>): void {
    this.#turn = this.#turn.then(work).catch((cause: unknown) => {
      // Said once: it is tried again with every look.
      if (!this.#isSaid) this.#options.log.warn({ err: cause }, 'the WireGuard interface cannot be used');
      this.#isSaid = true;
      this.#isConfigured = false;
    });
  }
}
