/**
 * Polynomials as bytes (FIPS 203 section 4.2.1): ByteEncode and ByteDecode of 12 bits, and the compressed forms of
 * 10, 4 and 1 bits. Compression multiplies by a reciprocal instead of dividing by q, since a divider's time tells
 * its operands (KyberSlash); test/wasm/twins.test.ts goes through every coefficient.
 *
 * Encoders and compressors take canonical coefficients, [0, q). Not for other parameter sets.
 */
import { POLY } from '../memory';
import { Q } from './arithmetic';

const HALF: u32 = 1665;

@inline
function coefficient(poly: usize, index: usize): u32 {
  return <u32>load<u16>(poly + (index << 1));
}

@inline
function setCoefficient(poly: usize, index: usize, value: u32): void {
  store<u16>(poly + (index << 1), value);
}

/** Algorithm 5 with d = 12: 384 bytes. */
export function encode12(out: usize, poly: usize): void {
  for (let i: usize = 0; i < 256; i += 2) {
    const pair = coefficient(poly, i) | (coefficient(poly, i + 1) << 12);
    store<u16>(out, pair);
    store<u8>(out, pair >> 16, 2);
    out += 3;
  }
}

/**
 * Algorithm 6 with d = 12, without its reduction.
 * @returns 0 when every coefficient was below q: FIPS 203 section 7.2's modulus check.
 */
export function decode12(poly: usize, bytes: usize): u32 {
  let above: i32 = 0;
  for (let i: usize = 0; i < 256; i += 2) {
    const pair = <u32>load<u16>(bytes) | (<u32>load<u8>(bytes, 2) << 16);
    const low = pair & 0xfff;
    const high = pair >> 12;
    above |= (Q - 1 - <i32>low) | (Q - 1 - <i32>high);
    setCoefficient(poly, i, low);
    setCoefficient(poly, i + 1, high);
    bytes += 3;
  }
  return <u32>above >> 31;
}

/** Compress_10: round(2^10 x / q) mod 2^10. */
@inline
function compress10(x: u32): u64 {
  return (((<u64>x << 10) + HALF) * 1290167 >> 32) & 0x3ff;
}

/** Compress_4; the product may pass 2^32, which the last mask forgives: only a multiple of 2^32 is lost. */
@inline
function compress4(x: u32): u32 {
  return (((x << 4) + HALF) * 80635 >> 28) & 15;
}

/** ByteEncode_10(Compress_10(poly)): 320 bytes, four coefficients in five. */
export function pack10(out: usize, poly: usize): void {
  for (let i: usize = 0; i < 256; i += 4) {
    const four =
      compress10(coefficient(poly, i)) |
      (compress10(coefficient(poly, i + 1)) << 10) |
      (compress10(coefficient(poly, i + 2)) << 20) |
      (compress10(coefficient(poly, i + 3)) << 30);
    store<u32>(out, <u32>four);
    store<u8>(out, <u8>(four >> 32), 4);
    out += 5;
  }
}

/** Decompress_10(ByteDecode_10(bytes)): round(q y / 2^10). */
export function unpack10(poly: usize, bytes: usize): void {
  for (let i: usize = 0; i < 256; i += 4) {
    const four = <u64>load<u32>(bytes) | (<u64>load<u8>(bytes, 4) << 32);
    for (let j: usize = 0; j < 4; j++) {
      const y = <u32>(four >> (10 * <u64>j)) & 0x3ff;
      setCoefficient(poly, i + j, (y * <u32>Q + 512) >> 10);
    }
    bytes += 5;
  }
}

/** ByteEncode_4(Compress_4(poly)): 128 bytes. */
export function pack4(out: usize, poly: usize): void {
  for (let i: usize = 0; i < 256; i += 2) {
    store<u8>(out, compress4(coefficient(poly, i)) | (compress4(coefficient(poly, i + 1)) << 4));
    out++;
  }
}

/** Decompress_4(ByteDecode_4(bytes)). */
export function unpack4(poly: usize, bytes: usize): void {
  for (let i: usize = 0; i < 256; i += 2) {
    const pair = <u32>load<u8>(bytes);
    setCoefficient(poly, i, ((pair & 15) * <u32>Q + 8) >> 4);
    setCoefficient(poly, i + 1, ((pair >> 4) * <u32>Q + 8) >> 4);
    bytes++;
  }
}

/** Decompress_1(ByteDecode_1(message)): 0 or 1665, chosen by a mask. */
export function messageToPoly(poly: usize, message: usize): void {
  for (let i: usize = 0; i < 256; i++) {
    const bit = (<u32>load<u8>(message + (i >> 3)) >> (<u32>i & 7)) & 1;
    setCoefficient(poly, i, <u32>(-<i32>bit) & HALF);
  }
}

/** ByteEncode_1(Compress_1(poly)): 32 bytes. */
export function polyToMessage(message: usize, poly: usize): void {
  memory.fill(message, 0, 32);
  for (let i: usize = 0; i < POLY >> 1; i++) {
    const bit = (((coefficient(poly, i) << 1) + HALF) * 80635 >> 28) & 1;
    const at = message + (i >> 3);
    store<u8>(at, load<u8>(at) | (bit << (<u32>i & 7)));
  }
}
