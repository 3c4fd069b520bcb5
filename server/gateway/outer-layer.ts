/**
 * What carries the data plane's packets, by the setting `wireguard.driver`: the embedded device and stack, an interface
 * of the system, or a plain routed interface. Nothing above this file knows which.
 */
import type { Clock } from '../../protocol/clock.ts';
import type { Config } from '../config.ts';
import type { Logger } from '../log.ts';
import { NetStack } from '../netstack/stack.ts';
import type { WireGuardDevice } from '../wireguard/device.ts';
import { type InnerSocket, PeerBinding } from '../wireguard/peer-binding.ts';
import { DataPlane } from '../wireguard/plane.ts';
import { RotatingDevice } from '../wireguard/rotating-device.ts';
import { guardSettings } from '../wireguard/system/guard-rules.ts';
import { GuardWatch } from '../wireguard/system/guard-watch.ts';
import { interfaceOf } from '../wireguard/system/present-interface.ts';
import { RoutedDevice } from '../wireguard/system/routed-device.ts';
import { SystemDevice } from '../wireguard/system/system-device.ts';
import { SystemNetwork } from '../wireguard/system/system-network.ts';

/** Peers and their keys. */
export type OuterDevice = Pick<
  WireGuardDevice,
  'publicKey' | 'listen' | 'setPeer' | 'removePeer' | 'setPresharedKey' | 'newSession' | 'onSession' | 'peers' | 'close'
> &
  Partial<Pick<WireGuardDevice, 'counters'>>;

export interface OuterLayer {
  readonly device: OuterDevice;
  /** The same device, where it can serve two keys for a while. */
  readonly rotating?: RotatingDevice;
  /** Connections, each to the peer it was meant for. */
  readonly plane: Pick<PeerBinding<InnerSocket>, 'connect' | 'openUdp'>;
  /** Resolves when it may be used as far as it is there. */
  open(): Promise<void>;
  close(): Promise<void>;
}

export interface OuterLayerOptions {
  readonly config: Config;
  /** 32 bytes; copied. */
  readonly privateKey: Uint8Array;
  /** A key of before that peers may still use, 32 bytes; copied. The embedded driver alone serves it. */
  readonly oldKey?: Uint8Array | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

export function newOuterLayer(options: OuterLayerOptions): OuterLayer {
  return options.config.wireguard.driver === 'embedded' ? embedded(options) : ofSystem(options);
}

function embedded({ config, privateKey, oldKey, clock, log }: OuterLayerOptions): OuterLayer {
  const { address4, address6, mtu } = config.wireguard;
  const device = new RotatingDevice({ privateKey, oldKey, clock, log, mtu });
  const stack = new NetStack({
    addresses: [address4, address6],
    mtu,
    clock,
    output: (packet) => device.send(packet),
  });
  return {
    device,
    rotating: device,
    plane: new DataPlane({ device, stack }),
    open: async () => {},
    close: async () => {
      stack.close();
      await device.close();
    },
  };
}

function ofSystem({ config, privateKey, clock, log }: OuterLayerOptions): OuterLayer {
  const guard = guardSettings(config)!;
  const watch = new GuardWatch(guard, clock, log);
  const device =
    config.wireguard.driver === 'system'
      ? new SystemDevice({ privateKey, clock, log, link: interfaceOf(guard.interfaceName) })
      : new RoutedDevice(privateKey);
  const isUp = () => !(device instanceof SystemDevice) || device.isUp;
  const network = new SystemNetwork({
    addresses: guard.addresses,
    mayUse: (address) => watch.isSafe(address) && isUp(),
  });
  return {
    device,
    plane: new PeerBinding(device, network),
    open: () => watch.start(),
    close: async () => {
      watch.close();
      await device.close();
    },
  };
}
