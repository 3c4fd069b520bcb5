/** A datagram that is larger than the path's packets, cut into fragments (RFC 791 section 3.2, RFC 8200 section 4.5). */
import { addWords, finish } from './checksum.ts';
import { FRAGMENT_UNIT, IP4_HEADER, IP6_FRAGMENT_HEADER, IP6_HEADER } from './limits.ts';

/** The Fragment header's number (RFC 8200). */
const FRAGMENT = 44;
const MORE = 0x20;

/**
 * @param packet whole, as flow.ts makes it: without options or extension headers.
 * @param id unpredictable (RFC 7739); IPv4 uses its lower half.
 */
export function fragmentsOf(packet: Uint8Array, mtu: number, id: number): Uint8Array[] {
  const is4 = packet[0]! >>> 4 === 4;
  const [header, extra] = is4 ? [IP4_HEADER, 0] : [IP6_HEADER, IP6_FRAGMENT_HEADER];
  const room = Math.floor((mtu - header - extra) / FRAGMENT_UNIT) * FRAGMENT_UNIT;
  const fragments: Uint8Array[] = [];
  for (let from = header; from < packet.length; from += room) {
    const payload = packet.subarray(from, Math.min(packet.length, from + room));
    const fragment = new Uint8Array(header + extra + payload.length);
    fragment.set(packet.subarray(0, header));
    fragment.set(payload, header + extra);
    const more = from + room < packet.length;
    if (is4) mark4(fragment, from - header, more, id);
    else mark6(fragment, from - header, more, id);
    fragments.push(fragment);
  }
  return fragments;
}

function mark4(fragment: Uint8Array, offset: number, more: boolean, id: number): void {
  const view = new DataView(fragment.buffer);
  view.setUint16(2, fragment.length);
  view.setUint16(4, id & 0xffff);
  view.setUint16(6, (more ? MORE << 8 : 0) | (offset / FRAGMENT_UNIT));
  view.setUint16(10, 0);
  view.setUint16(10, finish(addWords(fragment, 0, IP4_HEADER, 0)));
}

function mark6(fragment: Uint8Array, offset: number, more: boolean, id: number): void {
  const view = new DataView(fragment.buffer);
  view.setUint16(4, fragment.length - IP6_HEADER);
  fragment[IP6_HEADER] = fragment[6]!;
  fragment[6] = FRAGMENT;
  view.setUint16(IP6_HEADER + 2, offset | (more ? 1 : 0));
  view.setUint32(IP6_HEADER + 4, id);
}
