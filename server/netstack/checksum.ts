/** The Internet checksum (RFC 1071): the ones' complement of the ones' complement sum of 16-bit words. */

/**
 * Adds bytes[start, end) to a running sum of big-endian words. An odd last byte is padded with zero, so only the
 * last range of a sum may be odd. 64 KiB of 0xffff stay below 2^31, so the running sum of a packet needs no carry.
 */
export function addWords(bytes: Uint8Array, start: number, end: number, sum: number): number {
  let at = start;
  // Four words a turn: the checksum is the most expensive thing done to a byte here.
  for (const stop = end - 7; at < stop; at += 8) {
    sum +=
      ((bytes[at]! << 8) | bytes[at + 1]!) +
      ((bytes[at + 2]! << 8) | bytes[at + 3]!) +
      ((bytes[at + 4]! << 8) | bytes[at + 5]!) +
      ((bytes[at + 6]! << 8) | bytes[at + 7]!);
  }
  for (const stop = end - 1; at < stop; at += 2) sum += (bytes[at]! << 8) | bytes[at + 1]!;
  return at < end ? sum + (bytes[at]! << 8) : sum;
}

/** Folds the carries back in and complements. A range that holds its own right checksum gives 0. */
export function finish(sum: number): number {
  let folded = (sum & 0xffff) + Math.floor(sum / 0x10000);
  folded = (folded & 0xffff) + (folded >>> 16);
  folded = (folded & 0xffff) + (folded >>> 16);
  return ~folded & 0xffff;
}

/** The pseudo-header of TCP and ICMPv6 (RFC 9293 section 3.1, RFC 8200 section 8.1), addresses lying side by side. */
export function pseudoHeaderSum(
  bytes: Uint8Array,
  addressesAt: number,
  addressLength: number,
  protocol: number,
  length: number,
): number {
  return addWords(bytes, addressesAt, addressesAt + 2 * addressLength, protocol + length);
}
