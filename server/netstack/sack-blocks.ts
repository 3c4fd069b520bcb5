/** What an arrived segment's SACK option says, judged against what is in flight (RFC 2018, RFC 2883). */
import { after, before } from './sequence.ts';
import type { Segment } from './tcp-header.ts';

export interface SackReader {
  /** The peer has [start, end). */
  has(start: number, end: number): void;
  /** It got what ends here twice. */
  repeated(end: number): void;
}

/** Passes over blocks that cannot be. Only the first may tell of a repetition: it lies below the ACK or in the second. */
export function readSackBlocks({ ack, options }: Segment, una: number, nxt: number, reader: SackReader): void {
  const { sackCount, sackStart, sackEnd } = options;
  for (let n = 0; n < sackCount; n++) {
    const start = sackStart[n]!;
    const end = sackEnd[n]!;
    if (!before(start, end) || after(end, nxt)) continue;
    const within = n === 0 && sackCount > 1 && !before(start, sackStart[1]!) && !after(end, sackEnd[1]!);
    if (n === 0 && (within || !after(end, ack))) reader.repeated(end);
    else if (!before(start, una)) reader.has(start, end);
  }
}
