/** A WireGuard interface of the system, as its driver configures and reads it. */

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
