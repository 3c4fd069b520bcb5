/**
 * TCP options (RFC 9293 section 3.1, RFC 7323): kind u8 | length u8 | value, END = 0 and NOP = 1 without length.
 *
 *   kind 2, length 4    MSS u16                     on SYN
 *   kind 3, length 3    window shift u8             on SYN
 *   kind 4, length 2    SACK permitted              on SYN (RFC 2018)
 *   kind 5, length 8n+2 n times start u32 | end u32 once agreed
 *   kind 8, length 10   TSval u32 | TSecr u32       on every segment once agreed
 *
 * A malformed option ends the list: what was read before it stands, as in every stack a peer may run.
 */
import { MAX_WINDOW_SHIFT } from './limits.ts';
import type { Block } from './sack-report.ts';

const END = 0;
const NOP = 1;
const MSS = 2;
const WINDOW_SCALE = 3;
const SACK_PERMITTED = 4;
const SACK = 5;
/** What fits the 40 bytes of options. */
const MAX_BLOCKS = 4;
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
  sackPermitted = false;
  sackCount = 0;
  readonly sackStart = new Uint32Array(MAX_BLOCKS);
  readonly sackEnd = new Uint32Array(MAX_BLOCKS);
}

/** Reads bytes[start, end), which the caller has checked to lie inside the packet. */
export function parseOptions(bytes: Uint8Array, start: number, end: number, options: TcpOptions): void {
  options.segmentSize = 0;
  options.windowShift = -1;
  options.hasTimestamps = false;
  options.sackPermitted = false;
  options.sackCount = 0;
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
  } else if (kind === SACK_PERMITTED && length === 2) {
    options.sackPermitted = true;
  } else if (kind === SACK && length % 8 === 2) {
    readBlocks(bytes, at + 2, (length - 2) / 8, options);
  }
}

function readBlocks(bytes: Uint8Array, at: number, count: number, options: TcpOptions): void {
  options.sackCount = Math.min(count, MAX_BLOCKS);
  for (let n = 0; n < options.sackCount; n++) {
    options.sackStart[n] = read32(bytes, at + 8 * n);
    options.sackEnd[n] = read32(bytes, at + 8 * n + 4);
  }
}

/** What our SYN offers, or our answer to one agrees to. */
export interface SynOptions {
  readonly segmentSize: number;
  readonly windowShift: number | null;
  readonly timestamps: { readonly value: number; readonly echo: number } | null;
  readonly sack: boolean;
}

/** MSS, then SACK permitted and timestamps, each behind NOPs where the other is missing, then NOP shift. */
export function writeSynOptions(bytes: Uint8Array, at: number, options: SynOptions): void {
  const { segmentSize, windowShift, timestamps, sack } = options;
  let next = at;
  bytes[next++] = MSS;
  bytes[next++] = 4;
  bytes[next++] = segmentSize >>> 8;
  bytes[next++] = segmentSize & 0xff;
  const pairAt = next;
  if (timestamps !== null) next = writeTimestamps(bytes, next, timestamps.value, timestamps.echo);
  else if (sack) next = writeNops(bytes, next + 2);
  if (sack) {
    bytes[pairAt] = SACK_PERMITTED;
    bytes[pairAt + 1] = 2;
  }
  if (windowShift !== null) {
    bytes[next++] = NOP;
    bytes[next++] = WINDOW_SCALE;
    bytes[next++] = 3;
    bytes[next++] = windowShift;
  }
}

/** Bytes {@link writeSynOptions} takes. */
export function synOptionsLength({ windowShift, timestamps, sack }: SynOptions): number {
  return 4 + (timestamps !== null ? 12 : sack ? 4 : 0) + (windowShift !== null ? 4 : 0);
}

function writeNops(bytes: Uint8Array, at: number): number {
  bytes[at] = NOP;
  bytes[at + 1] = NOP;
  return at + 2;
}

/** Bytes {@link writeSack} takes. */
export function sackLength(blocks: number): number {
  return blocks === 0 ? 0 : 4 + 8 * blocks;
}

/** NOP NOP, then the blocks. */
export function writeSack(bytes: Uint8Array, at: number, blocks: readonly Block[]): void {
  let next = writeNops(bytes, at);
  bytes[next++] = SACK;
  bytes[next++] = 2 + 8 * blocks.length;
  for (const { start, end } of blocks) {
    write32(bytes, next, start);
    write32(bytes, next + 4, end);
    next += 8;
  }
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
