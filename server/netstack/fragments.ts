/**
 * Fragments of IP datagrams, put together (RFC 791 section 3.2, RFC 8200 section 4.5). Whoever sends them is a peer, not
 * a friend: memory and time are bounded, and a datagram whose pieces overlap is refused whole, with what still comes
 * of it (RFC 5722; for IPv4 too, where nothing honest overlaps either). The very same piece twice is no overlap.
 *
 * Nothing here runs by a timer: what is too old goes when the next fragment comes, and until then costs what is bounded.
 */
import { copyBytes, sameBytes } from './address.ts';
import { addWords, finish } from './checksum.ts';
import type { DropReason, IpView } from './ip-packet.ts';
import {
  FRAGMENT_LIFE_MS,
  FRAGMENT_UNIT,
  IP4_HEADER,
  IP6_FRAGMENT_HEADER,
  IP6_HEADER,
  MAX_FRAGMENT_BYTES,
  MAX_FRAGMENTED,
  MAX_FRAGMENTED_OF_SOURCE,
  MAX_FRAGMENTS,
} from './limits.ts';

interface Piece {
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array;
}

/** A datagram of which some pieces have come. */
interface Partial {
  readonly source: string;
  readonly since: number;
  /** Sorted, without overlap. */
  readonly pieces: Piece[];
  bytes: number;
  /** Headers of the piece at 0, as they are to stand before the whole. */
  head: Uint8Array | undefined;
  /** Length of the payload, once the last piece is here. */
  total: number | undefined;
  /** Two pieces contradicted each other. */
  refused: boolean;
}

export class Fragments {
  /** Oldest first. */
  readonly #partials = new Map<string, Partial>();
  #bytes = 0;

  /** Bytes held. */
  get size(): number {
    return this.#bytes;
  }

  /**
   * Takes a hostile fragment; nothing of `bytes` is kept.
   * @returns the whole datagram as a packet of its own when this was the last piece missing, null while more are
   * missing, or why it was dropped.
   */
  take(bytes: Uint8Array, ip: IpView, now: number): Uint8Array | DropReason | null {
    this.#forgetOld(now);
    const from = ip.fragmentOffset;
    const to = from + ip.end - ip.payloadAt;
    const headers = ip.addressLength === 4 ? ip.payloadAt : ip.fragmentHeaderAt - IP6_HEADER;
    if (to === from || to + headers > 0xffff) return 'malformed';
    if (ip.moreFragments && to % FRAGMENT_UNIT !== 0) return 'malformed';
    const key = keyOf(bytes, ip);
    const partial = this.#partials.get(key) ?? this.#begin(key, sourceOf(bytes, ip), now);
    if (partial.refused) return 'fragment';
    const fits = this.#insert(partial, from, to, bytes, ip);
    if (!fits) {
      this.#empty(partial);
      partial.refused = true;
      return 'fragment';
    }
    if (!isWhole(partial)) return null;
    this.#remove(key);
    return joined(partial, ip.addressLength);
  }

  #begin(key: string, source: string, now: number): Partial {
    const own = [...this.#partials].filter(([, other]) => other.source === source);
    // Whoever begins too many loses their own; only then is somebody else's at stake.
    if (own.length >= MAX_FRAGMENTED_OF_SOURCE) this.#remove(own[0]![0]);
    else if (this.#partials.size >= MAX_FRAGMENTED) this.#removeOldest();
    const pieces: Piece[] = [];
    const partial = { source, since: now, pieces, bytes: 0, head: undefined, total: undefined, refused: false };
    this.#partials.set(key, partial);
    return partial;
  }

  /** @returns false when the piece contradicts what is there, or is one too many. */
  #insert(partial: Partial, from: number, to: number, bytes: Uint8Array, ip: IpView): boolean {
    const { pieces, total } = partial;
    const after = pieces.findIndex((piece) => piece.to > from);
    const next = after < 0 ? undefined : pieces[after];
    if (next !== undefined && next.from < to) return isSame(next, from, to, bytes, ip);
    if (pieces.length === MAX_FRAGMENTS) return false;
    if (!ip.moreFragments && ((total ?? to) !== to || (pieces.at(-1)?.to ?? 0) > to)) return false;
    if (total !== undefined && to > total) return false;
    if (!ip.moreFragments) partial.total = to;
    if (from === 0) partial.head = headOf(bytes, ip);
    pieces.splice(after < 0 ? pieces.length : after, 0, { from, to, bytes: copyBytes(bytes, ip.payloadAt, ip.end) });
    partial.bytes += to - from;
    this.#bytes += to - from;
    while (this.#bytes > MAX_FRAGMENT_BYTES) this.#removeOldest();
    return true;
  }

  #forgetOld(now: number): void {
    for (const [key, { since }] of this.#partials) {
      if (now - since < FRAGMENT_LIFE_MS) return;
      this.#remove(key);
    }
  }

  #removeOldest(): void {
    for (const key of this.#partials.keys()) {
      this.#remove(key);
      return;
    }
  }

  #remove(key: string): void {
    const partial = this.#partials.get(key);
    if (partial === undefined) return;
    this.#bytes -= partial.bytes;
    this.#partials.delete(key);
  }

  #empty(partial: Partial): void {
    this.#bytes -= partial.bytes;
    partial.bytes = 0;
    partial.pieces.length = 0;
  }
}

/** Source, destination and identification; for IPv4 the protocol too (RFC 791), for IPv6 not (RFC 8200). */
function keyOf(bytes: Uint8Array, ip: IpView): string {
  const n = ip.addressLength;
  const addresses = Buffer.from(bytes.buffer, bytes.byteOffset + ip.sourceAt, 2 * n).toString('latin1');
  return `${addresses}${ip.fragmentId}/${n === 4 ? ip.protocol : ''}`;
}

function sourceOf(bytes: Uint8Array, ip: IpView): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + ip.sourceAt, ip.addressLength).toString('latin1');
}

function isSame(piece: Piece, from: number, to: number, bytes: Uint8Array, ip: IpView): boolean {
  return piece.from === from && piece.to === to && sameBytes(piece.bytes, 0, bytes, ip.payloadAt, to - from);
}

function isWhole({ pieces, total, bytes }: Partial): boolean {
  // Without overlap, so many bytes up to the end have no gap.
  return total !== undefined && bytes === total && pieces[0]?.from === 0;
}

/** What stands before the payload: without the Fragment header, its next header in the place that named it. */
function headOf(bytes: Uint8Array, ip: IpView): Uint8Array {
  if (ip.addressLength === 4) return copyBytes(bytes, 0, ip.payloadAt);
  const head = copyBytes(bytes, 0, ip.fragmentHeaderAt);
  head[ip.fragmentNamedAt] = bytes[ip.payloadAt - IP6_FRAGMENT_HEADER]!;
  return head;
}

function joined({ head, pieces, total }: Partial, addressLength: number): Uint8Array {
  const packet = new Uint8Array(head!.length + total!);
  packet.set(head!);
  for (const { from, bytes } of pieces) packet.set(bytes, head!.length + from);
  if (addressLength === 4) makeWhole4(packet, head!.length);
  else writeLength(packet, 4, packet.length - IP6_HEADER);
  return packet;
}

function makeWhole4(packet: Uint8Array, headerLength: number): void {
  writeLength(packet, 2, packet.length);
  packet.fill(0, 6, 8);
  packet.fill(0, 10, 12);
  writeLength(packet, 10, finish(addWords(packet, 0, Math.max(IP4_HEADER, headerLength), 0)));
}

function writeLength(packet: Uint8Array, at: number, value: number): void {
  packet[at] = value >>> 8;
  packet[at + 1] = value & 0xff;
}
