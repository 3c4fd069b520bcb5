/**
 * The gateway's end of the data plane: an outer layer (outer-layer.ts) with the peers of the policy snapshot in force
 * and the pre-shared keys that travel beside it. Nothing is reachable that no peer carries.
 */
import { wipe } from '../../protocol/bytes.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { PlanePeer } from '../channel/messages.ts';
import type { PeerRecord } from '../channel/snapshot-content.ts';
import type { Config } from '../config.ts';
import type { Logger } from '../log.ts';
import { NetworkError } from '../netstack/errors.ts';
import type { PskStatus } from '../psk/keeper.ts';
import type { PlaneConnectOptions } from '../wireguard/peer-binding.ts';
import type { Connect, OpenUdp } from './bridge/upstream-pool.ts';
import { ConnectorKeys } from './connector-keys.ts';
import { InnerTls } from './inner-tls.ts';
import { probeAfterMs } from './limits.ts';
import { newOuterLayer, type OuterLayer } from './outer-layer.ts';

export interface OldKey {
  readonly privateKey: Uint8Array;
  readonly until: number;
}

export interface GatewayDataPlaneOptions {
  readonly config: Config;
  /** 32 bytes; wiped here. */
  readonly privateKey: Uint8Array;
  /** The key of before and when it ends, ms since the epoch; wiped here. Peers that have not moved still use it. */
  readonly oldKey?: OldKey | undefined;
  /** The key of before is good for nothing any more. */
  readonly onRetired?: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

export class GatewayDataPlane {
  /** The second layer, to services that a connector publishes. */
  readonly innerTls: InnerTls;
  readonly #options: Omit<GatewayDataPlaneOptions, 'privateKey' | 'oldKey'>;
  #outer: OuterLayer;
  #keys: ConnectorKeys;
  #address: { readonly host: string; readonly port: number } = { host: '0.0.0.0', port: 0 };
  #peers: readonly PeerRecord[] = [];
  #psks: Readonly<Record<string, string>> = {};
  #retiresAt = 0;
  #cancelRetiring = () => {};

  constructor({ privateKey, oldKey, ...options }: GatewayDataPlaneOptions) {
    this.#options = options;
    this.innerTls = new InnerTls(options.clock);
    this.#outer = this.#newOuter(privateKey, oldKey?.privateKey);
    this.#keys = this.#newKeys();
    if (oldKey !== undefined) this.#retireAt(oldKey.until);
  }

  /** Base64, as WireGuard writes it. */
  get publicKey(): string {
    return Buffer.from(this.#outer.device.publicKey).toString('base64');
  }

  async listen(address: { host: string; port: number }): Promise<{ port: number }> {
    await this.#outer.open();
    const { port } = await this.#outer.device.listen(address);
    this.#address = { host: address.host, port };
    return { port };
  }

  /** Where the outer layer can serve two keys, one after the other is no cut. */
  get canOverlap(): boolean {
    return this.#outer.rotating !== undefined;
  }

  /** The key of before, while peers may still use it: until when (ms since the epoch), and who has not left it. */
  get retiring(): { publicKey: string; until: number; peers: readonly string[] } | undefined {
    const retiring = this.#outer.rotating?.retiring;
    return retiring && { ...retiring, until: this.#retiresAt };
  }

  /**
   * Serves another key, and the one of before to each peer until it has moved; connections to services go on.
   * @param privateKey 32 bytes; wiped. @param until when the key of before ends, ms since the epoch
   */
  async addKey(privateKey: Uint8Array, until: number): Promise<void> {
    try {
      await this.#outer.rotating?.rotate(privateKey);
    } finally {
      wipe(privateKey);
    }
    this.#retireAt(until);
    this.#apply();
  }

  /**
   * Goes on under another key, with the same peers, at the same port; connections to services end, and whatever key was
   * there before.
   * @param privateKey 32 bytes; wiped. @param oldKey served beside it, as of {@link GatewayDataPlaneOptions}
   * @throws what listening throws: then nothing is reachable until another try
   */
  async useKey(privateKey: Uint8Array, oldKey?: OldKey): Promise<void> {
    this.#cancelRetiring();
    this.#keys.close();
    await this.#outer.close();
    this.#outer = this.#newOuter(privateKey, oldKey?.privateKey);
    this.#keys = this.#newKeys();
    if (oldKey !== undefined) this.#retireAt(oldKey.until);
    await this.listen(this.#address);
    this.#apply();
  }

  /** Opens a connection that ends at the given key or not at all. To a connector not before keys were exchanged. */
  readonly connect: Connect = async ({ answerLimitMs, innerTls, ...target }, signal) => {
    await this.#keys.ready(target.wireguardKey, signal);
    const socket = await this.#outer.plane.connect({ ...target, signal });
    if (answerLimitMs !== undefined) socket.setAnswerLimit?.(answerLimitMs);
    // A service that vanished says nothing: unasked, a download from it would wait for ever.
    socket.setKeepAlive(true, probeAfterMs);
    return innerTls === undefined ? socket : this.innerTls.secure(socket, innerTls, signal);
  };

  /** The same for UDP. */
  readonly openUdp: OpenUdp = (target) => {
    if (!this.#keys.isReady(target.wireguardKey)) throw new NetworkError('EHOSTUNREACH', 'connect');
    return this.#outer.plane.openUdp(target);
  };

  /** The peers of a new snapshot. */
  setPeers(peers: readonly PeerRecord[]): void {
    const names = new Set(peers.map((peer) => peer.publicKey));
    for (const { publicKey } of this.#peers) if (!names.has(publicKey)) this.#outer.device.removePeer(publicKey);
    this.#peers = peers;
    this.#apply();
  }

  /** Pre-shared keys by peer, base64; replaces those of before. */
  setPresharedKeys(psks: Readonly<Record<string, string>>): void {
    this.#psks = psks;
    this.#apply();
  }

  /** The pre-shared key of a connector; undefined for a peer that exchanges none. */
  keyStatus(publicKey: string): PskStatus | undefined {
    return this.#keys.status(publicKey);
  }

  /** The peers as the outer layer knows them. */
  status(): PlanePeer[] {
    return this.#outer.device.peers().map(({ publicKey, endpoint, lastHandshake, bytesIn, bytesOut }) => {
      const psk = this.#keys.status(publicKey);
      return {
        ...{ publicKey, bytesIn, bytesOut },
        ...(endpoint !== undefined && { endpoint }),
        ...(lastHandshake !== undefined && { lastHandshake }),
        ...(psk !== undefined && { pskEpoch: Number(psk.epoch) }),
        ...(psk?.since !== undefined && { pskSince: psk.since }),
      };
    });
  }

  /** What happened to packets, by name; nothing where the system's WireGuard carries them. */
  get counters(): Readonly<Record<string, number>> {
    return this.#outer.device.counters ?? {};
  }

  async close(): Promise<void> {
    this.#cancelRetiring();
    this.#keys.close();
    await this.#outer.close();
  }

  #newOuter(privateKey: Uint8Array, oldKey?: Uint8Array): OuterLayer {
    try {
      return newOuterLayer({ ...this.#options, privateKey, oldKey });
    } finally {
      wipe(privateKey, oldKey);
    }
  }

  #retireAt(until: number): void {
    const { clock } = this.#options;
    this.#retiresAt = until;
    this.#cancelRetiring();
    this.#cancelRetiring = clock.after(Math.max(0, until - clock.now()), () => this.#outer.rotating?.retire());
  }

  #retired(): void {
    this.#cancelRetiring();
    this.#options.onRetired?.();
  }

  /** What was exchanged was bound to the key of before. */
  #moved(publicKey: string): void {
    this.#keys.forget(publicKey);
    this.#apply();
  }

  #newKeys(): ConnectorKeys {
    const { device, plane, rotating } = this.#outer;
    const { config, clock, log } = this.#options;
    const connect = (target: PlaneConnectOptions) => plane.connect(target);
    const keys = new ConnectorKeys({ device, connect, clock, log, renewMs: config.wireguard.pskRenewS * 1_000 });
    device.onSession = (peer) => keys.sessionMade(peer);
    if (rotating !== undefined) {
      rotating.onMoved = (peer) => this.#moved(peer);
      rotating.onRetired = () => this.#retired();
    }
    return keys;
  }

  #apply(): void {
    for (const peer of this.#peers) {
      const presharedKey = this.#presharedKey(peer.publicKey);
      try {
        const config = {
          publicKey: peer.publicKey,
          allowedIps: peer.allowedIps,
          ...(peer.endpoint === undefined ? {} : { endpoint: peer.endpoint }),
          ...(peer.keepaliveS === undefined ? {} : { persistentKeepaliveS: peer.keepaliveS }),
          ...(presharedKey === undefined ? {} : { presharedKey }),
        };
        this.#outer.device.setPeer(config);
        // What was exchanged with a connector under the key of before stays until it moves.
        if (peer.pskExchange !== true) this.#outer.rotating?.setWaitingPeer(config);
      } catch (error) {
        // One peer that cannot be is no reason to lose the others.
        this.#options.log.warn({ peer: peer.name, err: error }, 'a WireGuard peer could not be set');
      } finally {
        wipe(presharedKey);
      }
    }
    // Who still uses the key of before goes on by what was exchanged under it.
    const goesOn = (peer: string) => this.#isWaiting(peer) && this.#keys.present(peer) !== undefined;
    const fresh = Object.entries(this.#psks).filter(([peer]) => !goesOn(peer));
    this.#keys.set(this.#peers, Object.fromEntries(fresh));
  }

  #isWaiting(publicKey: string): boolean {
    return this.#outer.rotating?.isWaiting(publicKey) === true;
  }

  /** A copy: what was exchanged under the key in use, or what the control plane gave. */
  #presharedKey(publicKey: string): Uint8Array | undefined {
    const exchanged = this.#isWaiting(publicKey) ? undefined : this.#keys.present(publicKey);
    if (exchanged !== undefined) return Uint8Array.from(exchanged);
    const given = this.#psks[publicKey];
    return given === undefined ? undefined : Uint8Array.from(Buffer.from(given, 'base64'));
  }
}
