/**
 * The pre-shared keys of the connectors among the gateway's peers, each kept by an exchange inside the tunnel
 * (server/psk/keeper.ts). Other peers keep the key they were given, or none.
 */
import type { Duplex } from 'node:stream';
import type { Clock } from '../../protocol/clock.ts';
import type { PeerRecord } from '../channel/snapshot-content.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { Logger } from '../log.ts';
import { NetworkError } from '../netstack/errors.ts';
import { PskKeeper, type PskStatus } from '../psk/keeper.ts';
import { pskPort } from '../psk/limits.ts';
import type { WireGuardDevice } from '../wireguard/device.ts';
import type { PlaneConnectOptions } from '../wireguard/peer-binding.ts';

export interface ConnectorKeysOptions {
  readonly device: Pick<WireGuardDevice, 'publicKey' | 'setPresharedKey' | 'newSession'>;
  readonly connect: (target: PlaneConnectOptions) => Promise<Duplex>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly renewMs: number;
}

export class ConnectorKeys {
  readonly #options: ConnectorKeysOptions;
  readonly #keepers = new Map<string, PskKeeper>();
  #exchanging: ReadonlySet<string> = new Set();

  constructor(options: ConnectorKeysOptions) {
    this.#options = options;
  }

  /** The peers in force and the keys that the control plane gave for them, base64. Call it after the device knows them. */
  set(peers: readonly PeerRecord[], firstKeys: Readonly<Record<string, string>>): void {
    const exchanging = peers.filter((peer) => peer.pskExchange === true);
    this.#exchanging = new Set(exchanging.map((peer) => peer.publicKey));
    for (const [name, keeper] of this.#keepers) if (!this.#exchanging.has(name)) this.#forget(name, keeper);
    for (const peer of exchanging) {
      const first = firstKeys[peer.publicKey];
      if (first !== undefined) this.#keep(peer, Uint8Array.from(Buffer.from(first, 'base64')));
    }
  }

  /** @returns the key that handshakes with this peer mix in now, when it is ours to say. */
  present(publicKey: string): Uint8Array | undefined {
    return this.#keepers.get(publicKey)?.present;
  }

  /** @returns undefined for a peer that exchanges no keys: WireGuard with whatever it was given, classical or not. */
  status(publicKey: string): PskStatus | undefined {
    return this.#keepers.get(publicKey)?.status;
  }

  /** Resolves when traffic of services may go to this peer. @throws NetworkError EHOSTUNREACH, or the signal's reason */
  async ready(publicKey: string, signal: AbortSignal): Promise<void> {
    if (!this.#exchanging.has(publicKey)) return;
    const keeper = this.#keepers.get(publicKey);
    if (keeper === undefined) throw new NetworkError('EHOSTUNREACH', 'connect');
    try {
      await keeper.ready(signal);
    } catch (error) {
      // It was begun anew meanwhile.
      if (!this.#keepers.has(publicKey) || this.#keepers.get(publicKey) === keeper) throw error;
      await this.ready(publicKey, signal);
    }
  }

  /** Forgets what was exchanged with a peer; {@link set} begins anew, with the device's key of then. */
  forget(publicKey: string): void {
    const keeper = this.#keepers.get(publicKey);
    if (keeper !== undefined) this.#forget(publicKey, keeper);
  }

  isReady(publicKey: string): boolean {
    return !this.#exchanging.has(publicKey) || this.#keepers.get(publicKey)?.isReady === true;
  }

  sessionMade(publicKey: string): void {
    this.#keepers.get(publicKey)?.sessionMade();
  }

  close(): void {
    for (const [name, keeper] of this.#keepers) this.#forget(name, keeper);
  }

  #forget(name: string, keeper: PskKeeper): void {
    keeper.close();
    this.#keepers.delete(name);
  }

  #keep(peer: PeerRecord, first: Uint8Array): void {
    const known = this.#keepers.get(peer.publicKey);
    if (known === undefined) this.#keepers.set(peer.publicKey, this.#newKeeper(peer, first));
    else known.restart(first);
    first.fill(0);
  }

  #newKeeper({ publicKey, allowedIps, name }: PeerRecord, first: Uint8Array): PskKeeper {
    const { device, connect, clock, log, renewMs } = this.#options;
    // A connector has one address, its own.
    const host = allowedIps[0]?.replace(/\/\d+$/, '') ?? '';
    return new PskKeeper({
      ...{ crypto: nodeCrypto, clock, first, renewMs },
      identities: { gateway: device.publicKey, connector: Buffer.from(publicKey, 'base64') },
      connect: (signal) => connect({ host, port: pskPort, wireguardKey: publicKey, signal }),
      use: (key) => device.setPresharedKey(publicKey, key),
      newSession: () => device.newSession(publicKey),
      onFailure: (error) => log.warn({ peer: name, err: error }, 'a pre-shared key could not be exchanged'),
    });
  }
}
