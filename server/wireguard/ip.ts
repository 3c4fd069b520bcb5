/**
 * Prefixes of IP addresses, and the addresses in a packet's header (RFC 791, RFC 8200, RFC 4291 section 2.2).
 * Not an IP stack: that is server/netstack/. Checksums, options and fragments pass unread.
 */
import { addressOrNull, formatAddress } from '../netstack/address.ts';
import { WireGuardError } from './errors.ts';

/** 4 or 16 bytes. */
export type IpBytes = Uint8Array;

export interface Prefix {
  /** With the bits beyond `length` cleared. */
  readonly address: IpBytes;
  /** 0 to 32, or 0 to 128. */
  readonly length: number;
}

/** Reads `10.0.0.0/8`, `fd00::/8` or a single address; bits beyond the length are cleared, as wg does. */
export function parsePrefix(text: string): Prefix {
  const [ip = '', lengthText, ...rest] = text.split('/');
  const address = addressOrNull(ip);
  const bits = (address?.length ?? 0) * 8;
  const length = lengthText === undefined ? bits : /^\d{1,3}$/.test(lengthText) ? Number(lengthText) : Number.NaN;
  if (address === null || rest.length > 0 || !(length <= bits)) {
    throw new WireGuardError('allowed_ips_malformed', 'Allowed IPs are addresses or prefixes such as 10.0.0.0/8.');
  }
  return { address: maskTo(address, length), length };
}

/** A copy of `address` with the bits from `length` on cleared. */
export function maskTo(address: IpBytes, length: number): IpBytes {
  return address.map((byte, index) => {
    const kept = Math.min(8, Math.max(0, length - index * 8));
    return byte & (0xff << (8 - kept));
  });
}

export function formatPrefix({ address, length }: Prefix): string {
  return `${formatAddress(address)}/${length}`;
}

/** Where a packet goes and comes from, and how much of the padded plaintext is the packet. */
export interface IpHeader {
  readonly source: IpBytes;
  readonly destination: IpBytes;
  readonly totalLength: number;
}

/** @param packet hostile when it came from a peer. @returns null for what is not a whole IPv4 or IPv6 packet. */
export function readIpHeader(packet: Uint8Array): IpHeader | null {
  const version = packet.length > 0 ? packet[0]! >> 4 : 0;
  if (version === 4 && packet.length >= 20) {
    const totalLength = (packet[2]! << 8) | packet[3]!;
    if (totalLength < 20 || totalLength > packet.length) return null;
    return { source: packet.subarray(12, 16), destination: packet.subarray(16, 20), totalLength };
  }
  if (version === 6 && packet.length >= 40) {
    const totalLength = 40 + ((packet[4]! << 8) | packet[5]!);
    if (totalLength > packet.length) return null;
    return { source: packet.subarray(8, 24), destination: packet.subarray(24, 40), totalLength };
  }
  return null;
}
