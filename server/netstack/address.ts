/**
 * IP addresses between text and bytes. Text comes from configuration and from applications, never from a packet.
 * The version of an address is its length: 4 or 16 bytes.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** @returns null for text that is no IP literal (a name or a zone is none). */
export function addressOrNull(text: string): Uint8Array | null {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  if (isIPv6(text) && !text.includes('%')) return parseIp6(text);
  return null;
}

/** @throws TypeError when the text is no IP literal. */
export function parseAddress(text: string): Uint8Array {
  const address = addressOrNull(text);
  if (address === null) throw new TypeError('an address must be an IPv4 or IPv6 literal');
  return address;
}

function parseIp6(text: string): Uint8Array {
  const [head = '', tail] = text.split('::') as [string, string | undefined];
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const address = new Uint8Array(16);
  address.set(front);
  address.set(back, 16 - back.length);
  return address;
}

function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >>> 8, value & 0xff];
  });
}

/** The canonical text (RFC 5952 for IPv6). */
export function formatAddress(address: Uint8Array): string {
  return address.length === 4 ? address.join('.') : formatIp6(address);
}

function formatIp6(address: Uint8Array): string {
  const words = Array.from({ length: 8 }, (_, i) => (address[2 * i]! << 8) | address[2 * i + 1]!);
  const [start, length] = longestZeroRun(words);
  const hex = words.map((word) => word.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

function longestZeroRun(words: readonly number[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  for (let start = 0; start < words.length; start++) {
    let end = start;
    while (end < words.length && words[end] === 0) end++;
    if (end - start > best[1]) best = [start, end - start];
  }
  return best;
}

/** A copy of bytes[from, to). Not `slice`, which on a Buffer would be a view of a packet that its owner reuses. */
export function copyBytes(bytes: Uint8Array, from: number, to: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.subarray(from, to));
}

/** Whether `length` bytes at the two places are the same address. */
export function sameBytes(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[aAt + i] !== b[bAt + i]) return false;
  return true;
}

/** Unicast and not "this host": a packet from anything else is never answered (RFC 1122 section 3.2.1.3). */
export function isUnicast(bytes: Uint8Array, at: number, length: number): boolean {
  const first = bytes[at]!;
  if (length === 4) return first !== 0 && first < 224;
  if (first === 0xff) return false;
  for (let i = 0; i < 16; i++) if (bytes[at + i] !== 0) return true;
  return false;
}

/** Whether two addresses are the same, version included. */
export function sameAddress(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && sameBytes(a, 0, b, 0, a.length);
}
