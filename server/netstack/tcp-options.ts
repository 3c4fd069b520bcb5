/**
 * TCP options (RFC 9293 section 3.1, RFC 7323): kind u8 | length u8 | value, END = 0 and NOP = 1 without length.
 *
 *   kind 2, length 4    MSS u16                     on SYN
 *   kind 3, length 3    window shift u8             on SYN
 *   kind 8, length 10   TSval u32 | TSecr u32       on every segment once agreed
 *
 * A malformed option ends the list: what was read before it stands, as in every stack a peer may run. Selective
 * acknowledgment (kinds 4 and 5) is neither offered nor read.
 */
import { MAX_WINDOW_SHIFT } from './limits.ts';

const END = 0;
const NOP = 1;
const MSS = 2;
const WINDOW_SCALE = 3;
const TIMESTAMPS = 8;

/** What a segment's options said; filled again for every segment. */
export class TcpOptions {
  /** 0 when absent. */
  segmentSize = 0;
  /** -1 when absent. */
  windowShift = -1;
  hasTimestamps = false;
  timestamp = 0;
  timestampEcho = 0;
}

/** Reads bytes[start, end), which the caller has checked to lie inside the packet. */
export function parseOptions(bytes: Uint8Array, start: number, end: number, options: TcpOptions): void {
  options.segmentSize = 0;
  options.windowShift = -1;
  options.hasTimestamps = false;
  let at = start;
  while (at < end) {
    const kind = bytes[at]!;
    if (kind === END) return;
    if (kind === NOP) {
      at++;
      continue;
    }
    const length = at + 1 < end ? bytes[at + 1]! : 0;
    if (length < 2 || at + length > end) return;
    readOption(bytes, at, kind, length, options);
    at += length;
  }
}

function readOption(bytes: Uint8Array, at: number, kind: number, length: number, options: TcpOptions): void {
  if (kind === TIMESTAMPS && length === 10) {
    options.hasTimestamps = true;
    options.timestamp = read32(bytes, at + 2);
    options.timestampEcho = read32(bytes, at + 6);
  } else if (kind === MSS && length === 4) {
    options.segmentSize = (bytes[at + 2]! << 8) | bytes[at + 3]!;
  } else if (kind === WINDOW_SCALE && length === 3) {
    options.windowShift = Math.min(bytes[at + 2]!, MAX_WINDOW_SHIFT);
  }
}

/** MSS, then NOP NOP timestamps, then NOP shift. @returns the place after the last. */
export function writeSynOptions(
  bytes: Uint8Array,
  at: number,
  segmentSize: number,
  windowShift: number | null,
  timestamps: { readonly value: number; readonly echo: number } | null,
): number {
  let next = at;
  bytes[next++] = MSS;
  bytes[next++] = 4;
  bytes[next++] = segmentSize >>> 8;
  bytes[next++] = segmentSize & 0xff;
  if (timestamps !== null) next = writeTimestamps(bytes, next, timestamps.value, timestamps.echo);
  if (windowShift !== null) {
    bytes[next++] = NOP;
    bytes[next++] = WINDOW_SCALE;
    bytes[next++] = 3;
    bytes[next++] = windowShift;
  }
  return next;
}

/** Bytes {@link writeSynOptions} takes. */
export function synOptionsLength(hasShift: boolean, hasTimestamps: boolean): number {
  return 4 + (hasTimestamps ? 12 : 0) + (hasShift ? 4 : 0);
}

export function writeTimestamps(bytes: Uint8Array, at: number, value: number, echo: number): number {
  bytes[at] = NOP;
  bytes[at + 1] = NOP;
  bytes[at + 2] = TIMESTAMPS;
  bytes[at + 3] = 10;
  write32(bytes, at + 4, value);
  write32(bytes, at + 8, echo);
  return at + 12;
}

/** Big-endian, unsigned. */
export function read32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

export function write32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = (value >>> 16) & 0xff;
  bytes[at + 2] = (value >>> 8) & 0xff;
  bytes[at + 3] = value & 0xff;
}
