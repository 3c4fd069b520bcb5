/** One peer of a system's interface as it is to be, and what was last seen of it there. */
import { lookup } from 'node:dns/promises';
import type { PeerConfig, PeerStatus } from '../device.ts';
import { formatPrefix, type Prefix, parsePrefix } from '../ip.ts';
import { decodePublicKey, presharedKey } from '../keys.ts';
import { formatEndpoint, parseEndpoint } from '../wire.ts';
import type { PeerChange, PeerState } from './interface.ts';

export class WantedPeer {
  readonly name: string;
  readonly prefixes: readonly Prefix[];
  readonly keepaliveS: number;
  /** As it was configured: it may be a name. */
  readonly endpoint: string | undefined;
  #presharedKey: Uint8Array;
  /** The number of the device's last change to it. */
  changedAt = 0;
  /** The latest handshake that was told of, ms; undefined for none since the peer was made. */
  handshakeAt: number | undefined;
  /** Looks left that are worth hurrying for: a session was asked for and none has been seen since. */
  hurriedLooks = 0;
  seen: PeerState | undefined;

  /** @throws WireGuardError */
  constructor(config: PeerConfig) {
    decodePublicKey(config.publicKey);
    this.name = config.publicKey;
    this.prefixes = config.allowedIps.map(parsePrefix);
    this.keepaliveS = config.persistentKeepaliveS ?? 0;
    this.endpoint = config.endpoint;
    if (config.endpoint !== undefined) parseEndpoint(config.endpoint);
    this.#presharedKey = presharedKey(config.presharedKey);
  }

  get allowedIps(): string[] {
    return this.prefixes.map(formatPrefix);
  }

  /** Takes over what is known of the peer from the object before. */
  continues(before: WantedPeer): void {
    this.seen = before.seen;
    this.handshakeAt = before.handshakeAt;
    this.hurriedLooks = before.hurriedLooks;
    before.wipe();
  }

  isSameAs(other: WantedPeer): boolean {
    return (
      other.endpoint === this.endpoint &&
      other.keepaliveS === this.keepaliveS &&
      other.#presharedKey.every((byte, at) => byte === this.#presharedKey[at]) &&
      other.allowedIps.join() === this.allowedIps.join()
    );
  }

  setPresharedKey(key: Uint8Array): void {
    this.wipe();
    this.#presharedKey = presharedKey(key);
  }

  /** @param endpoint literal; undefined leaves the peer where it is */
  change(endpoint: string | undefined, keepaliveS = this.keepaliveS): PeerChange {
    const { name: publicKey, allowedIps } = this;
    return { publicKey, presharedKey: this.#presharedKey, allowedIps, endpoint, keepaliveS };
  }

  /** Where it was configured to be, as a literal; undefined when that is nowhere, or does not resolve. */
  async resolved(): Promise<string | undefined> {
    if (this.endpoint === undefined) return undefined;
    const { host, port, literal } = parseEndpoint(this.endpoint);
    if (literal) return this.endpoint;
    const found = await lookup(host).catch(() => undefined);
    return found && formatEndpoint({ address: found.address, port });
  }

  /** Whether the interface has it with these addresses and no others. */
  isAsIn(state: PeerState | undefined): boolean {
    if (state === undefined || state.allowedIps.length !== this.prefixes.length) return false;
    const there = new Set(state.allowedIps.map((text) => formatPrefix(parsePrefix(text))));
    return this.allowedIps.every((prefix) => there.has(prefix));
  }

  get status(): PeerStatus {
    const { name: publicKey, allowedIps, keepaliveS: persistentKeepaliveS, seen } = this;
    return {
      ...{ publicKey, allowedIps, persistentKeepaliveS },
      endpoint: seen?.endpoint,
      lastHandshake: seen?.lastHandshake,
      ...{ bytesIn: seen?.bytesIn ?? 0, bytesOut: seen?.bytesOut ?? 0 },
    };
  }

  wipe(): void {
    this.#presharedKey.fill(0);
  }
}
