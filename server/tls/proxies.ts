/**
 * Who is at the far end when a reverse proxy of the operator's stands in between. A header that anybody can write is
 * believed from the addresses the operator names and from no other; none is named by default.
 */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { TLSSocket } from 'node:tls';

/** A request's far end. */
export interface Caller {
  /** IP address. */
  readonly address: string;
  /** TLS protected the request up to us, or up to a proxy that is trusted to say so. */
  readonly secure: boolean;
}

export class Proxies {
  readonly #trusted = new BlockList();

  /** @param cidrs `192.0.2.0/24`, `2001:db8::/32` */
  constructor(cidrs: readonly string[]) {
    for (const cidr of cidrs) {
      const [address = '', prefix = ''] = cidr.split('/');
      this.#trusted.addSubnet(address, Number(prefix), isIPv6(address) ? 'ipv6' : 'ipv4');
    }
  }

  callerOf({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): Caller {
    const peer = plain(socket.remoteAddress ?? '');
    if (!this.#trusts(peer)) return { address: peer, secure: socket instanceof TLSSocket };
    const hops = String(headers['x-forwarded-for'] ?? '')
      .split(',')
      .map((hop) => plain(hop.trim()));
    // From the right: each hop was written by the one behind it, and the first that is not trusted is the caller.
    const caller = hops.findLast((hop) => !this.#trusts(hop));
    const isKnown = caller !== undefined && isIP(caller) !== 0;
    const secure = headers['x-forwarded-proto'] === 'https' || socket instanceof TLSSocket;
    return { address: isKnown ? caller : peer, secure };
  }

  #trusts(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#trusted.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }
}

/** IPv4 as such, where a socket for both families mapped it. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/, '');
}
