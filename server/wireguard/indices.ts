/**
 * The 32-bit indices by which the other end names our sessions (paper section 5.4.1). Random, so that they tell an
 * onlooker nothing about how many there are.
 */
import type { Keypair } from './keypair.ts';

export interface IndexEntry<Peer> {
  readonly peer: Peer;
  /** Null while the handshake that reserved the index runs. */
  keypair: Keypair | null;
}

export class IndexTable<Peer> {
  readonly #random: (length: number) => Uint8Array;
  readonly #entries = new Map<number, IndexEntry<Peer>>();

  constructor(random: (length: number) => Uint8Array) {
    this.#random = random;
  }

  reserve(peer: Peer): number {
    for (;;) {
      const bytes = this.#random(4);
      const index = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
      if (this.#entries.has(index)) continue;
      this.#entries.set(index, { peer, keypair: null });
      return index;
    }
  }

  bind(keypair: Keypair): void {
    const entry = this.#entries.get(keypair.localIndex);
    if (entry !== undefined) entry.keypair = keypair;
  }

  get(index: number): IndexEntry<Peer> | undefined {
    return this.#entries.get(index);
  }

  free(index: number): void {
    this.#entries.delete(index);
  }

  get size(): number {
    return this.#entries.size;
  }
}
