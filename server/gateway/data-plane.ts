/**
 * The gateway's end of the data plane: a WireGuard peer and a TCP/IP stack inside this process, with the peers of the
 * policy snapshot in force and the pre-shared keys that travel beside it. Nothing is reachable that no peer carries.
 */
import { wipe } from '../../protocol/bytes.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { PeerRecord } from '../channel/snapshot-content.ts';
import type { Config } from '../config.ts';
import type { Logger } from '../log.ts';
import { NetworkError } from '../netstack/errors.ts';
import { NetStack } from '../netstack/stack.ts';
import type { PskStatus } from '../psk/keeper.ts';
import { WireGuardDevice } from '../wireguard/device.ts';
import { DataPlane, type PlaneConnectOptions } from '../wireguard/plane.ts';
import type { Connect, OpenUdp } from './bridge/upstream-pool.ts';
import { ConnectorKeys } from './connector-keys.ts';
import { InnerTls } from './inner-tls.ts';
import { probeAfterMs } from './limits.ts';

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
  readonly #device: WireGuardDevice;
  readonly #stack: NetStack;
  readonly #plane: DataPlane;
  readonly #keys: ConnectorKeys;
  readonly #log: Logger;
  #peers: readonly PeerRecord[] = [];
  #psks: Readonly<Record<string, string>> = {};

  constructor({ config, privateKey, clock, log }: GatewayDataPlaneOptions) {
    const { address4, address6, mtu, pskRenewS } = config.wireguard;
    this.#log = log;
    try {
      this.#device = new WireGuardDevice({ privateKey, clock, log, mtu });
    } finally {
      wipe(privateKey);
    }
    const device = this.#device;
    this.#stack = new NetStack({
      addresses: [address4, address6],
      mtu,
      clock,
      output: (packet) => device.send(packet),
    });
    const plane = new DataPlane({ device, stack: this.#stack });
    this.#plane = plane;
    const connect = (target: PlaneConnectOptions) => plane.connect(target);
    this.#keys = new ConnectorKeys({ device, connect, clock, log, renewMs: pskRenewS * 1_000 });
    device.onSession = (peer) => this.#keys.sessionMade(peer);
  }

  /** Base64, as WireGuard writes it. */
  get publicKey(): string {
    return Buffer.from(this.#device.publicKey).toString('base64');
  }

  async listen(address: { host: string; port: number }): Promise<{ port: number }> {
    return this.#device.listen(address);
  }

  /** Opens a connection that ends at the given key or not at all. To a connector not before keys were exchanged. */
  readonly connect: Connect = async ({ answerLimitMs, innerTls, ...target }, signal) => {
    await this.#keys.ready(target.wireguardKey, signal);
    const socket = await this.#plane.connect({ ...target, signal });
    if (answerLimitMs !== undefined) socket.setAnswerLimit(answerLimitMs);
    // A service that vanished says nothing: unasked, a download from it would wait for ever.
    socket.setKeepAlive(true, probeAfterMs);
    return innerTls === undefined ? socket : this.innerTls.secure(socket, innerTls, signal);
  };

  /** The same for UDP. */
  readonly openUdp: OpenUdp = (target) => {
    if (!this.#keys.isReady(target.wireguardKey)) throw new NetworkError('EHOSTUNREACH', 'connect');
    return this.#plane.openUdp(target);
  };

  /** The peers of a new snapshot. */
  setPeers(peers: readonly PeerRecord[]): void {
    const names = new Set(peers.map((peer) => peer.publicKey));
    for (const { publicKey } of this.#peers) if (!names.has(publicKey)) this.#device.removePeer(publicKey);
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

  async close(): Promise<void> {
    this.#keys.close();
    this.#stack.close();
    await this.#device.close();
  }

  #apply(): void {
    for (const peer of this.#peers) {
      const presharedKey = this.#presharedKey(peer.publicKey);
      try {
        this.#device.setPeer({
          publicKey: peer.publicKey,
          allowedIps: peer.allowedIps,
          ...(peer.endpoint === undefined ? {} : { endpoint: peer.endpoint }),
          ...(peer.keepaliveS === undefined ? {} : { persistentKeepaliveS: peer.keepaliveS }),
          ...(presharedKey === undefined ? {} : { presharedKey }),
        });
      } catch (error) {
        // One peer that cannot be is no reason to lose the others.
        this.#log.warn({ peer: peer.name, err: error }, 'a WireGuard peer could not be set');
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
