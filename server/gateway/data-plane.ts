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

export interface GatewayDataPlaneOptions {
  readonly config: Config;
  /** 32 bytes; wiped here. */
  readonly privateKey: Uint8Array;
  readonly clock: Clock;
  readonly log: Logger;
}

export class GatewayDataPlane {
  /** The second layer, to services that a connector publishes. */
  readonly innerTls = new InnerTls();
  readonly #options: Omit<GatewayDataPlaneOptions, 'privateKey'>;
  #outer: OuterLayer;
  #keys: ConnectorKeys;
  #address: { readonly host: string; readonly port: number } = { host: '0.0.0.0', port: 0 };
  #peers: readonly PeerRecord[] = [];
  #psks: Readonly<Record<string, string>> = {};

  constructor({ privateKey, ...options }: GatewayDataPlaneOptions) {
    this.#options = options;
    this.#outer = this.#newOuter(privateKey);
    this.#keys = this.#newKeys();
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

  /**
   * Goes on under another key, with the same peers, at the same port; connections to services end.
   * @param privateKey 32 bytes; wiped. @throws what listening throws: then nothing is reachable until another try
   */
  async useKey(privateKey: Uint8Array): Promise<void> {
    this.#keys.close();
    await this.#outer.close();
    this.#outer = this.#newOuter(privateKey);
    this.#keys = this.#newKeys();
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
    this.#keys.close();
    await this.#outer.close();
  }

  #newOuter(privateKey: Uint8Array): OuterLayer {
    try {
      return newOuterLayer({ ...this.#options, privateKey });
    } finally {
      wipe(privateKey);
    }
  }

  #newKeys(): ConnectorKeys {
    const { device, plane } = this.#outer;
    const { config, clock, log } = this.#options;
    const connect = (target: PlaneConnectOptions) => plane.connect(target);
    const keys = new ConnectorKeys({ device, connect, clock, log, renewMs: config.wireguard.pskRenewS * 1_000 });
    device.onSession = (peer) => keys.sessionMade(peer);
    return keys;
  }

  #apply(): void {
    for (const peer of this.#peers) {
      const presharedKey = this.#presharedKey(peer.publicKey);
      try {
        this.#outer.device.setPeer({
          publicKey: peer.publicKey,
          allowedIps: peer.allowedIps,
          ...(peer.endpoint === undefined ? {} : { endpoint: peer.endpoint }),
          ...(peer.keepaliveS === undefined ? {} : { persistentKeepaliveS: peer.keepaliveS }),
          ...(presharedKey === undefined ? {} : { presharedKey }),
        });
      } catch (error) {
        // One peer that cannot be is no reason to lose the others.
        this.#options.log.warn({ peer: peer.name, err: error }, 'a WireGuard peer could not be set');
      } finally {
        wipe(presharedKey);
      }
    }
    this.#keys.set(this.#peers, this.#psks);
  }

  /** A copy: what was exchanged, or what the control plane gave. */
  #presharedKey(publicKey: string): Uint8Array | undefined {
    const exchanged = this.#keys.present(publicKey);
    if (exchanged !== undefined) return Uint8Array.from(exchanged);
    const given = this.#psks[publicKey];
    return given === undefined ? undefined : Uint8Array.from(Buffer.from(given, 'base64'));
  }
}
