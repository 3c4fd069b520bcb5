/**
 * The IPv4 header (RFC 791, RFC 6864): read and written. Fragments are put together in fragments.ts.
 *
 *      0       version 4 | header length in words
 *      1       DSCP, ECN
 *      2  2    total length
 *      4  2    identification
 *      6  2    flags (0x4000 DF, 0x2000 MF) | fragment offset
 *      8       time to live
 *      9       protocol
 *     10  2    header checksum
 *     12  4    source
 *     16  4    destination
 *     20       options
 */
import { addWords, finish } from './checksum.ts';
import type { DropReason, IpView } from './ip-packet.ts';
import { FRAGMENT_UNIT, IP4_HEADER } from './limits.ts';

const DONT_FRAGMENT = 0x40;
const MORE_FRAGMENTS = 0x20;
const TTL = 64;

export function parseIp4(bytes: Uint8Array, view: IpView): DropReason | null {
  if (bytes.length < IP4_HEADER) return 'malformed';
  const headerLength = (bytes[0]! & 0x0f) * 4;
  const totalLength = (bytes[2]! << 8) | bytes[3]!;
  if (headerLength < IP4_HEADER || totalLength < headerLength || totalLength > bytes.length) return 'malformed';
  if (finish(addWords(bytes, 0, headerLength, 0)) !== 0) return 'checksum';
  view.moreFragments = (bytes[6]! & MORE_FRAGMENTS) !== 0;
  view.fragmentOffset = (((bytes[6]! & 0x1f) << 8) | bytes[7]!) * FRAGMENT_UNIT;
  view.fragmentId = (bytes[4]! << 8) | bytes[5]!;
  view.isFragment = view.moreFragments || view.fragmentOffset > 0;
  view.addressLength = 4;
  view.sourceAt = 12;
  view.destinationAt = 16;
  view.protocol = bytes[9]!;
  view.payloadAt = headerLength;
  view.end = totalLength;
  return null;
}

/** Writes a header at the start of `packet`, whose length is the total length. */
export function writeIp4(packet: Uint8Array, protocol: number, source: Uint8Array, destination: Uint8Array): void {
  packet[0] = 0x45;
  packet[1] = 0;
  packet[2] = packet.length >>> 8;
  packet[3] = packet.length & 0xff;
  // An atomic datagram: DF, and an identification that means nothing (RFC 6864 section 4.1).
  packet[4] = 0;
  packet[5] = 0;
  packet[6] = DONT_FRAGMENT;
  packet[7] = 0;
  packet[8] = TTL;
  packet[9] = protocol;
  packet[10] = 0;
  packet[11] = 0;
  packet.set(source, 12);
  packet.set(destination, 16);
  const checksum = finish(addWords(packet, 0, IP4_HEADER, 0));
  packet[10] = checksum >>> 8;
  packet[11] = checksum & 0xff;
}
