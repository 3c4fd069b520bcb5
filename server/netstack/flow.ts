/** The two ends of a connection, and what every packet between them has in common. */

import { pseudoHeaderSum } from './checksum.ts';
import { PROTOCOL } from './ip-packet.ts';
import { writeIp4 } from './ip4.ts';
import { writeIp6 } from './ip6.ts';
import { IP4_HEADER, IP6_HEADER } from './limits.ts';

/** A four-tuple, seen from our side. */
export class Flow {
  readonly local: Uint8Array;
  readonly localPort: number;
  readonly remote: Uint8Array;
  readonly remotePort: number;
  readonly version: 4 | 6;
  readonly ipHeader: number;

  constructor(local: Uint8Array, localPort: number, remote: Uint8Array, remotePort: number) {
    this.local = local;
    this.localPort = localPort;
    this.remote = remote;
    this.remotePort = remotePort;
    this.version = local.length === 4 ? 4 : 6;
    this.ipHeader = ipHeaderLength(local);
  }
}

/** Header bytes before the payload of a packet we make from or to this address. */
export function ipHeaderLength(address: Uint8Array): number {
  return address.length === 4 ? IP4_HEADER : IP6_HEADER;
}

/** An IP packet of `payloadLength` bytes, header written, payload zero. */
export function newPacket(
  protocol: number,
  local: Uint8Array,
  remote: Uint8Array,
  payloadLength: number,
): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(ipHeaderLength(local) + payloadLength);
  if (local.length === 4) writeIp4(packet, protocol, local, remote);
  else writeIp6(packet, protocol, local, remote);
  return packet;
}

/** The pseudo-header sum of a TCP packet made by {@link newPacket}. */
export function tcpPseudoSum(packet: Uint8Array, ipHeader: number): number {
  const addressLength = ipHeader === IP4_HEADER ? 4 : 16;
  const addressesAt = ipHeader - 2 * addressLength;
  return pseudoHeaderSum(packet, addressesAt, addressLength, PROTOCOL.tcp, packet.length - ipHeader);
}
