/**
 * The TCP header (RFC 9293 section 3.1): read into a {@link Segment}, written into a packet.
 *
 *      0  2    source port
 *      2  2    destination port
 *      4  4    sequence number
 *      8  4    acknowledgment number
 *     12       data offset in words, high nibble
 *     13       flags
 *     14  2    window
 *     16  2    checksum, over the pseudo-header too
 *     18  2    urgent pointer: ignored, urgent data is data (RFC 6093)
 *     20       options
 */
import { addWords, finish, pseudoHeaderSum } from './checksum.ts';
import { type Flow, newPacket, tcpPseudoSum } from './flow.ts';
import { type DropReason, type IpView, PROTOCOL } from './ip-packet.ts';
import { TCP_HEADER } from './limits.ts';
import { parseOptions, read32, TcpOptions, write32 } from './tcp-options.ts';

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;

/**
 * One arrived segment. A stack has one of these and fills it for each packet, so nobody may keep it. Trimming it to
 * the receive window moves `seq`, `payloadAt` and `payloadLength` and clears flags.
 */
export class Segment {
  bytes: Uint8Array = new Uint8Array();
  sourcePort = 0;
  destinationPort = 0;
  seq = 0;
  ack = 0;
  flags = 0;
  /** As sent, not yet scaled. */
  window = 0;
  payloadAt = 0;
  payloadLength = 0;
  readonly options = new TcpOptions();

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  /** SEG.LEN: SYN and FIN each take a sequence number. */
  get length(): number {
    return this.payloadLength + ((this.flags >>> 1) & 1) + (this.flags & 1);
  }
}

/** Reads a hostile segment that {@link IpView} located. @returns null, or why it must be dropped. */
export function parseTcp(bytes: Uint8Array, ip: IpView, segment: Segment): DropReason | null {
  const at = ip.payloadAt;
  const length = ip.end - at;
  if (length < TCP_HEADER) return 'malformed';
  const headerLength = (bytes[at + 12]! >>> 4) * 4;
  if (headerLength < TCP_HEADER || headerLength > length) return 'malformed';
  const pseudo = pseudoHeaderSum(bytes, ip.sourceAt, ip.addressLength, PROTOCOL.tcp, length);
  if (finish(addWords(bytes, at, ip.end, pseudo)) !== 0) return 'checksum';
  segment.bytes = bytes;
  segment.sourcePort = (bytes[at]! << 8) | bytes[at + 1]!;
  segment.destinationPort = (bytes[at + 2]! << 8) | bytes[at + 3]!;
  if (segment.sourcePort === 0 || segment.destinationPort === 0) return 'malformed';
  segment.seq = read32(bytes, at + 4);
  segment.ack = read32(bytes, at + 8);
  segment.flags = bytes[at + 13]!;
  segment.window = (bytes[at + 14]! << 8) | bytes[at + 15]!;
  segment.payloadAt = at + headerLength;
  segment.payloadLength = length - headerLength;
  parseOptions(bytes, at + TCP_HEADER, segment.payloadAt, segment.options);
  return null;
}

/** A packet with room for options and payload behind the TCP header, ports and data offset written. */
export function newSegment(flow: Flow, optionsLength: number, payloadLength: number): Uint8Array<ArrayBuffer> {
  const headerLength = TCP_HEADER + optionsLength;
  const packet = newPacket(PROTOCOL.tcp, flow.local, flow.remote, headerLength + payloadLength);
  const at = flow.ipHeader;
  packet[at] = flow.localPort >>> 8;
  packet[at + 1] = flow.localPort & 0xff;
  packet[at + 2] = flow.remotePort >>> 8;
  packet[at + 3] = flow.remotePort & 0xff;
  packet[at + 12] = (headerLength / 4) << 4;
  return packet;
}

/** Writes the rest of the header once options and payload are in place, checksum last. */
export function sealSegment(
  packet: Uint8Array,
  flow: Flow,
  seq: number,
  ack: number,
  flags: number,
  window: number,
): void {
  const at = flow.ipHeader;
  write32(packet, at + 4, seq);
  write32(packet, at + 8, ack);
  packet[at + 13] = flags;
  packet[at + 14] = window >>> 8;
  packet[at + 15] = window & 0xff;
  const checksum = finish(addWords(packet, at, packet.length, tcpPseudoSum(packet, at)));
  packet[at + 16] = checksum >>> 8;
  packet[at + 17] = checksum & 0xff;
}

/** The RST that answers a segment for which there is no connection (RFC 9293 section 3.10.7.1), or null for a RST. */
export function resetFor(segment: Segment, flow: Flow): Uint8Array | null {
  if (segment.has(RST)) return null;
  const packet = newSegment(flow, 0, 0);
  if (segment.has(ACK)) sealSegment(packet, flow, segment.ack, 0, RST, 0);
  else sealSegment(packet, flow, 0, (segment.seq + segment.length) >>> 0, RST | ACK, 0);
  return packet;
}
