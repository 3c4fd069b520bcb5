/** What a site under FIPS 140-3 has to know wherever WireGuard or ChaCha20-Poly1305 is in use: `wg show` and `doctor` say it. */
import type { Config } from '../config.ts';

export function fipsNote({ wireguard: { driver } }: Pick<Config, 'wireguard'>): string {
  const notApproved = 'which FIPS 140-3 does not approve';
  return driver === 'routed'
    ? `The tunnel from browsers is under ChaCha20-Poly1305 and X25519, ${notApproved}; behind the gateway your interface decides.`
    : `WireGuard and the tunnel from browsers are under ChaCha20-Poly1305 and X25519, ${notApproved}; "driver: routed" takes WireGuard out.`;
}
