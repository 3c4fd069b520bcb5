/**
 * ICMP (RFC 792, RFC 1191) and ICMPv6 (RFC 4443): answers echo requests, and reads the errors that concern a TCP
 * connection or a UDP socket of ours. What an error does to the connection is decided in icmp-reaction.ts.
 *
 *      0       type
 *      1       code
 *      2  2    checksum; ICMPv6 over the pseudo-header too
 *      4  4    echo: identifier, sequence; v4 "fragmentation needed": u16 0 | u16 MTU; v6 "too big": u32 MTU
 *      8       errors: the start of the packet that caused it
 */
import { copyBytes } from './address.ts';
import { addWords, finish, pseudoHeaderSum } from './checksum.ts';
import { newPacket } from './flow.ts';
import { type DropReason, type IpView, PROTOCOL } from './ip-packet.ts';
import { IP4_HEADER, IP6_HEADER } from './limits.ts';
import { read32 } from './tcp-options.ts';

const HEADER = 8;
const V4 = { echoReply: 0, unreachable: 3, echoRequest: 8 } as const;
const V4_CODE = { protocol: 2, port: 3, fragmentationNeeded: 4 } as const;
const V6 = { unreachable: 1, tooBig: 2, echoRequest: 128, echoReply: 129 } as const;
const V6_CODE = { port: 4 } as const;

/** An ICMP error about a packet that we may have sent. Ports and sequence number prove that its sender saw one. */
export interface IcmpError {
  /** TCP's or UDP's number. */
  readonly protocol: number;
  readonly kind: 'refused' | 'unreachable' | 'too-big';
  /** Next-hop MTU; 0 when the router named none. */
  readonly mtu: number;
  readonly remote: Uint8Array;
  readonly local: Uint8Array;
  readonly localPort: number;
  readonly remotePort: number;
  /** Of TCP; UDP has none. */
  readonly seq: number;
}

/** What arrived: an answer to send, an error to weigh, or nothing for us. */
export type IcmpOutcome = { readonly reply: Uint8Array } | { readonly error: IcmpError } | DropReason;

/** Reads a hostile ICMP or ICMPv6 message whose version fits its protocol number. */
export function receiveIcmp(bytes: Uint8Array, ip: IpView, mtu: number): IcmpOutcome {
  const at = ip.payloadAt;
  const length = ip.end - at;
  const v6 = ip.addressLength === 16;
  if (length < HEADER || v6 !== (ip.protocol === PROTOCOL.icmp6)) return 'malformed';
  const pseudo = v6 ? pseudoHeaderSum(bytes, ip.sourceAt, 16, PROTOCOL.icmp6, length) : 0;
  if (finish(addWords(bytes, at, ip.end, pseudo)) !== 0) return 'checksum';
  const type = bytes[at]!;
  if (type === (v6 ? V6.echoRequest : V4.echoRequest)) {
    const ipHeader = v6 ? IP6_HEADER : IP4_HEADER;
    return ipHeader + length <= mtu ? { reply: echoReply(bytes, ip) } : 'overload';
  }
  const kind = errorKind(v6, type, bytes[at + 1]!);
  return kind === null ? 'protocol' : readError(bytes, ip, kind);
}

function echoReply(bytes: Uint8Array, ip: IpView): Uint8Array {
  const n = ip.addressLength;
  const local = copyBytes(bytes, ip.destinationAt, ip.destinationAt + n);
  const remote = copyBytes(bytes, ip.sourceAt, ip.sourceAt + n);
  const packet = newPacket(ip.protocol, local, remote, ip.end - ip.payloadAt);
  const at = n === 4 ? IP4_HEADER : IP6_HEADER;
  packet.set(bytes.subarray(ip.payloadAt, ip.end), at);
  packet[at] = n === 4 ? V4.echoReply : V6.echoReply;
  packet[at + 2] = 0;
  packet[at + 3] = 0;
  const pseudo = n === 4 ? 0 : pseudoHeaderSum(packet, 8, 16, PROTOCOL.icmp6, packet.length - at);
  const checksum = finish(addWords(packet, at, packet.length, pseudo));
  packet[at + 2] = checksum >>> 8;
  packet[at + 3] = checksum & 0xff;
  return packet;
}

function errorKind(v6: boolean, type: number, code: number): IcmpError['kind'] | null {
  if (v6) {
    if (type === V6.tooBig) return 'too-big';
    if (type !== V6.unreachable) return null;
    return code === V6_CODE.port ? 'refused' : 'unreachable';
  }
  if (type !== V4.unreachable) return null;
  if (code === V4_CODE.fragmentationNeeded) return 'too-big';
  return code === V4_CODE.port || code === V4_CODE.protocol ? 'refused' : 'unreachable';
}

/** The quoted packet is ours going out, so its source is our end. It may be cut after 8 bytes of the header behind IP's. */
function readError(bytes: Uint8Array, ip: IpView, kind: IcmpError['kind']): IcmpOutcome {
  const quoted = ip.payloadAt + HEADER;
  const v6 = ip.addressLength === 16;
  if (ip.end - quoted < (v6 ? IP6_HEADER : IP4_HEADER)) return 'malformed';
  const first = bytes[quoted]!;
  if (first >>> 4 !== (v6 ? 6 : 4)) return 'malformed';
  const tcp = quoted + (v6 ? IP6_HEADER : (first & 0x0f) * 4);
  const protocol = bytes[quoted + (v6 ? 6 : 9)]!;
  if (protocol !== PROTOCOL.tcp && protocol !== PROTOCOL.udp) return 'protocol';
  if (tcp < quoted + IP4_HEADER || tcp + 8 > ip.end) return 'malformed';
  const n = ip.addressLength;
  const addressesAt = quoted + (v6 ? 8 : 12);
  const mtuAt = ip.payloadAt + 4;
  return {
    error: {
      protocol,
      kind,
      mtu: kind !== 'too-big' ? 0 : v6 ? read32(bytes, mtuAt) : (bytes[mtuAt + 2]! << 8) | bytes[mtuAt + 3]!,
      local: copyBytes(bytes, addressesAt, addressesAt + n),
      remote: copyBytes(bytes, addressesAt + n, addressesAt + 2 * n),
      localPort: (bytes[tcp]! << 8) | bytes[tcp + 1]!,
      remotePort: (bytes[tcp + 2]! << 8) | bytes[tcp + 3]!,
      seq: read32(bytes, tcp + 4),
    },
  };
}
