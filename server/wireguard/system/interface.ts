/**
 * A WireGuard interface of the system, as its driver configures and reads it: through wireguard-go's control socket where
 * there is one (uapi.ts), otherwise through wg(8), which speaks to the kernel (wg-tool.ts).
 */
import { existsSync } from 'node:fs';
import { controlSocketOf, UapiInterface } from './uapi.ts';
import { WgToolInterface } from './wg-tool.ts';

/** A peer as it is to be, whole; or gone. */
export type PeerChange =
  | { readonly publicKey: string; readonly remove: true }
  | {
      readonly publicKey: string;
      readonly remove?: false;
      /** 32 bytes; all zero for none. */
      readonly presharedKey: Uint8Array;
      /** Replace those of before. */
      readonly allowedIps: readonly string[];
      /** IP literal and port; undefined leaves the peer where it is. */
      readonly endpoint: string | undefined;
      readonly keepaliveS: number;
    };

export interface InterfaceChange {
  /** The interface's own key and port. What was on it before is removed with them. */
  readonly self?: { readonly privateKey: Uint8Array; readonly port: number };
  readonly peers: readonly PeerChange[];
}

export interface PeerState {
  readonly publicKey: string;
  readonly endpoint: string | undefined;
  readonly allowedIps: readonly string[];
  /** Milliseconds since the Unix epoch, as exactly as the interface tells. */
  readonly lastHandshake: number | undefined;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface InterfaceState {
  /** Base64; undefined while it has no key. */
  readonly publicKey: string | undefined;
  readonly port: number;
  readonly peers: readonly PeerState[];
}

export interface WireGuardInterface {
  /** @throws CommandError or UapiError: above all while the interface is not there */
  read(): Promise<InterfaceState>;
  /** Changes in the order they are given. @throws likewise; then any part of them may have been made */
  write(change: InterfaceChange): Promise<void>;
}

/** @param name of an interface, which need not be there yet. */
export function interfaceOf(name: string): WireGuardInterface {
  const [uapi, tool] = [new UapiInterface(name), new WgToolInterface(name)];
  // Looked at each time: the interface may come again as one of the other kind.
  const present = () => (existsSync(controlSocketOf(name)) ? uapi : tool);
  return { read: () => present().read(), write: (change) => present().write(change) };
}
