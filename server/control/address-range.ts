/** Address ranges as WireGuard has them: parsed once, compared as numbers, written in one form. IPv4 and IPv6. */
import { isIP, isIPv4 } from 'node:net';

export interface AddressRange {
  readonly family: 4 | 6;
  /** The first address, host bits cleared. */
  readonly base: bigint;
  /** Prefix length. */
  readonly length: number;
}

const bits = { 4: 32, 6: 128 } as const;

/** `10.0.0.0/8`, or a bare address for a range of one. @returns undefined for anything else */
export function parseRange(text: string): AddressRange | undefined {
  const match = /^([0-9a-fA-F.:]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text);
  const address = match?.[1];
  if (address === undefined || isIP(address) === 0) return undefined;
  const family = isIPv4(address) ? 4 : 6;
  const length = match?.[2] === undefined ? bits[family] : Number(match[2]);
  if (length > bits[family]) return undefined;
  return { family, base: mask(numberOf(address), family, length), length };
}

export function formatRange({ family, base, length }: AddressRange): string {
  return `${formatAddress(family, base)}/${length}`;
}

/** Every address of the smaller one lies in the larger one, and ranges never overlap otherwise. */
export function overlap(a: AddressRange, b: AddressRange): boolean {
  if (a.family !== b.family) return false;
  const length = Math.min(a.length, b.length);
  return mask(a.base, a.family, length) === mask(b.base, b.family, length);
}

/** @param address an IP literal */
export function contains(range: AddressRange, address: string): boolean {
  const one = parseRange(address);
  return one !== undefined && one.length === bits[one.family] && overlap(range, one);
}

/** The address of a peer that has exactly one. */
export function onlyAddress(ranges: readonly AddressRange[]): string | undefined {
  const [range] = ranges;
  if (range === undefined || ranges.length !== 1 || range.length !== bits[range.family]) return undefined;
  return formatAddress(range.family, range.base);
}

/** Addresses of the range that a host may have, in order: neither the first nor the last of an IPv4 subnet. */
export function* hostsOf(range: AddressRange): Generator<string> {
  const size = 1n << BigInt(bits[range.family] - range.length);
  for (let host = 1n; host < size - 1n; host += 1n) yield formatAddress(range.family, range.base + host);
}

function mask(value: bigint, family: 4 | 6, length: number): bigint {
  const shift = BigInt(bits[family] - length);
  return (value >> shift) << shift;
}

/** @param address passed `isIP` */
function numberOf(address: string): bigint {
  if (isIPv4(address)) return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  // The URL parser writes an IPv6 address in one way, an embedded IPv4 part included.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const left = groups(head);
  const right = groups(tail ?? '');
  const zeros = tail === undefined ? [] : Array<bigint>(8 - left.length - right.length).fill(0n);
  return [...left, ...zeros, ...right].reduce((sum, group) => (sum << 16n) | group, 0n);
}

function groups(text: string): bigint[] {
  return text === '' ? [] : text.split(':').map((group) => BigInt(`0x${group}`));
}

function formatAddress(family: 4 | 6, value: bigint): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
  const text = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16)).join(':');
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}
