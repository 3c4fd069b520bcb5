/**
 * Segments that arrived ahead of a gap (RFC 9293 section 3.10.7.4, last part). Pieces are kept sorted and without
 * overlap; bytes that came first are kept, so a later segment cannot rewrite data (and nobody could tell if it did).
 * The receive window bounds the bytes, a limit the number of pieces. A later SACK can read its blocks from here.
 */
import { copyBytes } from './address.ts';
import { MAX_REASSEMBLY_PIECES } from './limits.ts';
import { add, after, before, distance } from './sequence.ts';

interface Piece {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

export class Reassembly {
  #pieces: Piece[] = [];
  #bytes = 0;

  /** Bytes held. */
  get size(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  /** Copies what is new of bytes[from, to) that starts at `seq`. @returns false when there was no room. */
  insert(seq: number, bytes: Uint8Array, from: number, to: number): boolean {
    let index = this.#pieces.length;
    while (index > 0 && after(this.#pieces[index - 1]!.seq, seq)) index--;
    let at = from;
    // What the piece before us has already.
    if (index > 0) at += Math.max(0, distance(endOf(this.#pieces[index - 1]!), seq));
    while (at < to) {
      if (this.#pieces.length === MAX_REASSEMBLY_PIECES) return false;
      const next = this.#pieces[index];
      const start = add(seq, at - from);
      const free = next === undefined ? to - at : Math.min(to - at, distance(next.seq, start));
      if (free > 0) {
        this.#pieces.splice(index++, 0, { seq: start, bytes: copyBytes(bytes, at, at + free) });
        this.#bytes += free;
      }
      if (next === undefined) return true;
      at = Math.max(at, from + distance(endOf(next), seq));
      index++;
    }
    return true;
  }

  /** Takes the piece that continues at `seq`, less what lies before it; null when there is a gap. */
  take(seq: number): Uint8Array | null {
    for (let first = this.#pieces[0]; first !== undefined; first = this.#pieces[0]) {
      const skip = distance(seq, first.seq);
      if (skip < 0) return null;
      this.#pieces.shift();
      this.#bytes -= first.bytes.length;
      if (skip < first.bytes.length) return first.bytes.subarray(skip);
    }
    return null;
  }

  /** Drops what lies at or behind `seq`: the peer's FIN was there. */
  cut(seq: number): void {
    this.#pieces = this.#pieces.filter((piece) => before(piece.seq, seq));
    this.#bytes = this.#pieces.reduce((sum, piece) => sum + piece.bytes.length, 0);
  }

  clear(): void {
    this.#pieces = [];
    this.#bytes = 0;
  }
}

function endOf(piece: Piece): number {
  return add(piece.seq, piece.bytes.length);
}
