/** IP packets made by hand: ICMP echo for both families (RFC 792, RFC 4443), and enough reading to judge the answer. */
import { addressOrNull } from '../../../server/netstack/address.ts';

function internetChecksum(...parts: Uint8Array[]): number {
  const bytes = Buffer.concat(parts);
  let sum = 0;
  for (let n = 0; n < bytes.length; n += 2) sum += (bytes[n]! << 8) | (bytes[n + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export interface Echo {
  readonly source: string;
  readonly destination: string;
  readonly sequence: number;
  readonly payload: Uint8Array;
  readonly reply?: boolean;
}

/** The ICMP or ICMPv6 message in an IP packet of the family of `source`. */
export function echoPacket(echo: Echo): Uint8Array {
  return echo.source.includes(':') ? echo6(echo) : echo4(echo);
}

function icmp(type: number, { sequence, payload }: Echo, pseudo: Uint8Array): Uint8Array {
  const message = new Uint8Array(8 + payload.length);
  const view = new DataView(message.buffer);
  view.setUint8(0, type);
  view.setUint16(4, 0x4c4b);
  view.setUint16(6, sequence);
  message.set(payload, 8);
  view.setUint16(2, internetChecksum(pseudo, message));
  return message;
}

function echo4(echo: Echo): Uint8Array {
  const message = icmp(echo.reply === true ? 0 : 8, echo, new Uint8Array(0));
  const packet = new Uint8Array(20 + message.length);
  const view = new DataView(packet.buffer);
  view.setUint8(0, 0x45);
  view.setUint16(2, packet.length);
  view.setUint8(8, 64);
  view.setUint8(9, 1);
  packet.set(addressOrNull(echo.source)!, 12);
  packet.set(addressOrNull(echo.destination)!, 16);
  view.setUint16(10, internetChecksum(packet.subarray(0, 20)));
  packet.set(message, 20);
  return packet;
}

function echo6(echo: Echo): Uint8Array {
  const addresses = Buffer.concat([addressOrNull(echo.source)!, addressOrNull(echo.destination)!]);
  const tail = new Uint8Array(8);
  new DataView(tail.buffer).setUint32(0, 8 + echo.payload.length);
  tail[7] = 58;
  const message = icmp(echo.reply === true ? 129 : 128, echo, Buffer.concat([addresses, tail]));
  const packet = new Uint8Array(40 + message.length);
  const view = new DataView(packet.buffer);
  view.setUint8(0, 0x60);
  view.setUint16(4, message.length);
  view.setUint8(6, 58);
  view.setUint8(7, 64);
  packet.set(addresses, 8);
  packet.set(message, 40);
  return packet;
}

/** @returns what an echo message says, or null for any other packet. */
export function readEcho(
  packet: Uint8Array,
): { type: 'request' | 'reply'; sequence: number; payload: Uint8Array } | null {
  const header = packet[0]! >> 4 === 4 ? 20 : 40;
  const protocol = header === 20 ? packet[9] : packet[6];
  const type = packet[header];
  if (protocol !== (header === 20 ? 1 : 58)) return null;
  const request = header === 20 ? 8 : 128;
  const reply = header === 20 ? 0 : 129;
  if (type !== request && type !== reply) return null;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  return {
    type: type === request ? 'request' : 'reply',
    sequence: view.getUint16(header + 6),
    payload: packet.subarray(header + 8),
  };
}
