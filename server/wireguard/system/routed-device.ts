/**
 * An outer layer that is no WireGuard of ours: a plain routed interface, behind which IPsec or a leased line does the
 * work. Peers are names for addresses here; nothing checks on the way who has one, so that is the outer layer's to do.
 * No keys are exchanged, so a connector of ours, whose keys are, cannot be reached this way.
 */
import { addressOrNull } from '../../netstack/address.ts';
import { AllowedIps } from '../allowed-ips.ts';
import type { PeerConfig, PeerStatus } from '../device.ts';
import { formatPrefix, parsePrefix } from '../ip.ts';
import { decodePublicKey, PrivateKey, type StaticPublic } from '../keys.ts';
import type { ListenOptions } from '../wire.ts';

export class RoutedDevice {
  readonly publicKey: Uint8Array;
  onRoutes: (() => void) | undefined;
  /** Never called. */
  onSession: ((peerPublicKey: string) => void) | undefined;
  readonly #peers = new Set<string>();
  readonly #routes = new AllowedIps<string>();

  constructor(privateKey: Uint8Array) {
    this.publicKey = new PrivateKey<StaticPublic>(privateKey).publicKey;
  }

  /** Nothing listens; the port is what it would be. */
  async listen({ port }: ListenOptions): Promise<{ port: number }> {
    return { port };
  }

  /** @throws WireGuardError */
  setPeer({ publicKey, allowedIps }: PeerConfig): void {
    decodePublicKey(publicKey);
    this.#peers.add(publicKey);
    this.#routes.assign(publicKey, allowedIps.map(parsePrefix));
    this.onRoutes?.();
  }

  removePeer(publicKey: string): void {
    this.#peers.delete(publicKey);
    this.#routes.release(publicKey);
    this.onRoutes?.();
  }

  setPresharedKey(): void {}

  newSession(): void {}

  route(ip: string): string | undefined {
    const address = addressOrNull(ip);
    return address === null ? undefined : this.#routes.lookup(address);
  }

  peers(): PeerStatus[] {
    return [...this.#peers].map((publicKey) => ({
      publicKey,
      endpoint: undefined,
      allowedIps: this.#routes.prefixesOf(publicKey).map(formatPrefix),
      lastHandshake: undefined,
      ...{ bytesIn: 0, bytesOut: 0, persistentKeepaliveS: 0 },
    }));
  }

  async close(): Promise<void> {
    for (const publicKey of [...this.#peers]) this.removePeer(publicKey);
  }
}
