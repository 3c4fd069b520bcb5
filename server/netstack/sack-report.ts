/**
 * What we tell a peer of the segments that arrived ahead of a gap (RFC 2018 section 4): the blocks, the one that changed
 * last first, and before them what came a second time (RFC 2883). Only the latest few are remembered; the bytes are in
 * reassembly.ts.
 */
import { after, before } from './sequence.ts';

export interface Block {
  readonly start: number;
  readonly end: number;
}

/** One more than fits a segment without timestamps would never be said. */
const REMEMBERED = 4;

export class SackReport {
  #blocks: Block[] = [];
  #duplicate: Block | null = null;

  /** [start, end) arrived ahead of a gap. */
  arrived(start: number, end: number): void {
    let first = start;
    let last = end;
    const apart = this.#blocks.filter((block) => {
      if (after(block.start, last) || before(block.end, first)) return true;
      if (before(block.start, first)) first = block.start;
      if (after(block.end, last)) last = block.end;
      return false;
    });
    this.#blocks = [{ start: first, end: last }, ...apart].slice(0, REMEMBERED);
  }

  /** [start, end) had arrived before. Said once. */
  repeated(start: number, end: number): void {
    this.#duplicate = { start, end };
  }

  /** Everything before `nxt` is acknowledged. */
  advance(nxt: number): void {
    if (this.#blocks.length > 0) this.#blocks = this.#blocks.filter((block) => after(block.end, nxt));
  }

  get isEmpty(): boolean {
    return this.#blocks.length === 0 && this.#duplicate === null;
  }

  /** What the next acknowledgment says, at most `room` blocks. */
  take(room: number): Block[] {
    const blocks = this.#duplicate === null ? this.#blocks : [this.#duplicate, ...this.#blocks];
    this.#duplicate = null;
    return blocks.slice(0, room);
  }

  clear(): void {
    this.#blocks = [];
    this.#duplicate = null;
  }
}
