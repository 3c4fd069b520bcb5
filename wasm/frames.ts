/**
 * The places in the module's memory where records are sealed and from which a transport takes them: a copy to memory of
 * their own costs up to half of a seal. A place is lent until its frame comes back; when all are lent, frames are
 * copied. Not for plaintext: what stands in a place was sealed there, in one go, before anybody else could look.
 */

/** Where the places are; addresses and sizes in bytes. */
export interface FrameRegion {
  readonly from: number;
  readonly size: number;
  readonly count: number;
}

export class Frames {
  readonly #region: FrameRegion;
  readonly #free: number[] = [];
  /** By place. Compared by identity: only who was lent a frame can give it back, and once. */
  readonly #lent: (Uint8Array | undefined)[] = [];

  constructor(region: FrameRegion) {
    this.#region = region;
    this.forgetAll();
  }

  /** @returns the address of a free place, or undefined. It stays free until {@link lend}. */
  get next(): number | undefined {
    return this.#free.at(-1);
  }

  /** The place that {@link next} named now holds `frame`. */
  lend(frame: Uint8Array): void {
    const place = this.#free.pop();
    if (place === undefined) throw new TypeError('no place is free');
    this.#lent[this.#indexOf(frame)] = frame;
  }

  /** Its place may be used again. Any other array, and a second time, does nothing. */
  release(frame: Uint8Array): void {
    const index = this.#indexOf(frame);
    if (this.#lent[index] !== frame) return;
    this.#lent[index] = undefined;
    this.#free.push(this.#region.from + index * this.#region.size);
  }

  /** Of the place that a frame of ours lies in; anything for another array. */
  #indexOf(frame: Uint8Array): number {
    return Math.floor((frame.byteOffset - this.#region.from) / this.#region.size);
  }

  /** All places are free; frames lent before come back in vain. */
  forgetAll(): void {
    this.#lent.length = 0;
    this.#free.length = 0;
    const { from, size, count } = this.#region;
    for (let i = count - 1; i >= 0; i--) this.#free.push(from + i * size);
  }
}
