/**
 * What can go wrong when a device is configured. Packets never raise these: the data path drops and counts
 * (counters.ts).
 */

export type WireGuardCode =
  | 'key_malformed'
  | 'key_own'
  | 'allowed_ips_malformed'
  | 'endpoint_malformed'
  | 'keepalive_malformed'
  | 'peer_limit'
  | 'port_taken'
  | 'closed';

/** A refusal by the WireGuard layer; the code is stable, the message is for people. */
export class WireGuardError extends Error {
  readonly code: WireGuardCode;

  constructor(code: WireGuardCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'WireGuardError';
    this.code = code;
  }
}
