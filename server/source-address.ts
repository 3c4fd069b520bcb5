/** Whom a stranger's address stands for: what token-buckets.ts and half-open.ts tell strangers apart by. */
import { createHash } from 'node:crypto';
import { addressOrNull } from './netstack/address.ts';

/** @returns 4 or 16 bytes; what is no plain literal (a zone) is told apart by its text. */
export function addressBytes(address: string): Uint8Array {
  return addressOrNull(address) ?? createHash('sha256').update(address).digest().subarray(0, 16);
}

/** Who shares one allowance of handshakes: an IPv4 address or an IPv6 /64, the least a network hands out. */
export function sourceOf({ address }: { readonly address: string }): string {
  // A socket of both families shows IPv4 as ::ffff:192.0.2.1, all of it in one /64 (RFC 4291 section 2.5.5.2).
  const bytes = addressBytes(address.replace(/^::ffff:(?=[\d.]+$)/i, ''));
  return Buffer.from(bytes.length === 4 ? bytes : bytes.subarray(0, 8)).toString('hex');
}
