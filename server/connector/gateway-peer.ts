/**
 * The gateway as the connector's one WireGuard peer, and the pre-shared key between the two (server/psk/answerer.ts).
 */
import type { Duplex } from 'node:stream';
import type { GatewayPeer as PeerFields } from '../channel/messages.ts';
import { systemClock } from '../channel/system-clock.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { Logger } from '../log.ts';
import { PskAnswerer } from '../psk/answerer.ts';
import type { WireGuardDevice } from '../wireguard/device.ts';

/** Below the time that network address translators forget a UDP flow in (wg(8) suggests the same). */
const keepaliveS = 25;

export class GatewayPeer {
  readonly #device: WireGuardDevice;
  readonly #log: Logger;
  #publicKey: string | undefined;
  #keys: PskAnswerer | undefined;

  /** Takes over the device's onSession. */
  constructor(device: WireGuardDevice, log: Logger) {
    this.#device = device;
    this.#log = log;
    device.onSession = () => this.#keys?.sessionMade();
  }

  /** What the control plane says of the gateway. @param firstKey base64; undefined leaves the one before */
  set(gateway: PeerFields, firstKey: string | undefined): void {
    if (this.#publicKey !== gateway.publicKey) this.#forget();
    this.#publicKey = gateway.publicKey;
    const first = firstKey === undefined ? undefined : Buffer.from(firstKey, 'base64');
    this.#device.setPeer({
      publicKey: gateway.publicKey,
      allowedIps: gateway.allowedIps,
      endpoint: gateway.endpoint,
      // Speaks first, so that a gateway that knew an earlier run of this connector learns of the new one at once.
      persistentKeepaliveS: keepaliveS,
      ...this.#presharedKey(first),
    });
    if (first === undefined) return;
    if (this.#keys === undefined) this.#keys = this.#newKeys(gateway.publicKey, first);
    else this.#keys.restart(first);
  }

  /** A connection to the port of the exchange: the device has no other peer, so it is the gateway's. */
  exchange(stream: Duplex): void {
    if (this.#keys === undefined) stream.destroy();
    else void this.#keys.serve(stream);
  }

  close(): void {
    this.#keys?.close();
  }

  #presharedKey(first: Uint8Array | undefined): { presharedKey?: Uint8Array } {
    const key = this.#keys?.present ?? first;
    return key === undefined ? {} : { presharedKey: Uint8Array.from(key) };
  }

  #forget(): void {
    this.#keys?.close();
    this.#keys = undefined;
    if (this.#publicKey !== undefined) this.#device.removePeer(this.#publicKey);
  }

  #newKeys(gatewayKey: string, first: Uint8Array): PskAnswerer {
    return new PskAnswerer({
      ...{ crypto: nodeCrypto, clock: systemClock, first },
      identities: { gateway: Buffer.from(gatewayKey, 'base64'), connector: this.#device.publicKey },
      use: (key) => this.#device.setPresharedKey(gatewayKey, key),
      onFailure: (error) => this.#log.warn({ err: error }, 'a pre-shared key could not be exchanged'),
    });
  }
}
