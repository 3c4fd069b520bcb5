/**
 * QUIC's variable-length integer (RFC 9000, section 16): the two top bits of the first byte give the length, 1, 2, 4 or 8 bytes.
 * Values above 2^53 - 1 do not fit a number exactly; nothing of ours is that large, so they are refused where they are read.
 */

/** Bytes the integer starting with `first` takes. */
export function varintLength(first: number): 1 | 2 | 4 | 8 {
  switch (first >> 6) {
    case 0:
      return 1;
    case 1:
      return 2;
    case 2:
      return 4;
    default:
      return 8;
  }
}

/** Reads the integer at `at`, whose {@link varintLength} bytes must all be there. Above 2^53 the result is inexact but stays above it. */
export function readVarint(bytes: Uint8Array, at = 0): number {
  const length = varintLength(bytes[at]!);
  let value = bytes[at]! & 0x3f;
  for (let i = 1; i < length; i++) value = value * 256 + bytes[at + i]!;
  return value;
}

/** The shortest encoding of a whole number below 2^53. */
export function encodeVarint(value: number): Uint8Array {
  const length = value < 0x40 ? 1 : value < 0x4000 ? 2 : value < 0x4000_0000 ? 4 : 8;
  const bytes = new Uint8Array(length);
  let rest = value;
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes[0] = bytes[0]! | (Math.log2(length) << 6);
  return bytes;
}
