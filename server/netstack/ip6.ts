/**
 * The IPv6 header and the extension headers a host has to walk over (RFC 8200). Fragments are put together in
 * fragments.ts, except the atomic ones, which are a whole datagram with a Fragment header (RFC 6946).
 *
 *      0  4    version 6 | traffic class | flow label
 *      4  2    payload length
 *      6       next header
 *      7       hop limit
 *      8  16   source
 *     24  16   destination
 */
import type { DropReason, IpView } from './ip-packet.ts';
import { IP6_FRAGMENT_HEADER, IP6_HEADER, MAX_EXTENSION_HEADERS } from './limits.ts';
import { read32 } from './tcp-options.ts';

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const DESTINATION_OPTIONS = 60;
const HOP_LIMIT = 64;
/** Of the fixed header. */
const NEXT_HEADER = 6;

export function parseIp6(bytes: Uint8Array, view: IpView): DropReason | null {
  if (bytes.length < IP6_HEADER) return 'malformed';
  const end = IP6_HEADER + ((bytes[4]! << 8) | bytes[5]!);
  if (end > bytes.length) return 'malformed';
  view.addressLength = 16;
  view.sourceAt = 8;
  view.destinationAt = 24;
  view.end = end;
  return walkExtensions(bytes, view, bytes[6]!);
}

function walkExtensions(bytes: Uint8Array, view: IpView, first: number): DropReason | null {
  let next = first;
  let at = IP6_HEADER;
  let namedAt = NEXT_HEADER;
  view.isFragment = false;
  for (let walked = 0; isExtension(next); walked++) {
    if (walked === MAX_EXTENSION_HEADERS) return 'extension';
    if (at + 8 > view.end) return 'malformed';
    // A routing header with segments left asks us to forward, which no host here does.
    if (next === ROUTING && bytes[at + 3] !== 0) return 'extension';
    if (next === FRAGMENT && isPiece(bytes, at)) return readPiece(bytes, view, at, namedAt);
    const length = next === FRAGMENT ? 8 : 8 + bytes[at + 1]! * 8;
    next = bytes[at]!;
    namedAt = at;
    at += length;
    if (at > view.end) return 'malformed';
  }
  view.protocol = next;
  view.payloadAt = at;
  return null;
}

/** An offset, or more to come. */
function isPiece(bytes: Uint8Array, at: number): boolean {
  return bytes[at + 2] !== 0 || (bytes[at + 3]! & 0xf9) !== 0;
}

/** What follows the Fragment header is a piece of something, and nothing to walk over. */
function readPiece(bytes: Uint8Array, view: IpView, at: number, namedAt: number): null {
  view.isFragment = true;
  view.fragmentOffset = (bytes[at + 2]! << 8) | (bytes[at + 3]! & 0xf8);
  view.moreFragments = (bytes[at + 3]! & 1) !== 0;
  view.fragmentId = read32(bytes, at + 4);
  view.fragmentHeaderAt = at;
  view.fragmentNamedAt = namedAt;
  view.protocol = bytes[at]!;
  view.payloadAt = at + IP6_FRAGMENT_HEADER;
  return null;
}

function isExtension(next: number): boolean {
  return next === HOP_BY_HOP || next === ROUTING || next === FRAGMENT || next === DESTINATION_OPTIONS;
}

/** Writes a header at the start of `packet`; its length gives the payload length. */
export function writeIp6(packet: Uint8Array, nextHeader: number, source: Uint8Array, destination: Uint8Array): void {
  const payloadLength = packet.length - IP6_HEADER;
  packet[0] = 0x60;
  packet[1] = 0;
  packet[2] = 0;
  packet[3] = 0;
  packet[4] = payloadLength >>> 8;
  packet[5] = payloadLength & 0xff;
  packet[6] = nextHeader;
  packet[7] = HOP_LIMIT;
  packet.set(source, 8);
  packet.set(destination, 24);
}
