/**
 * Those whose handshake is under way, a bounded number. When it is full, the one that waited longest of the source that
 * has the most makes room, so that one source, however many it opens, keeps nobody out but itself.
 */

/** What can be made to leave. It is told once, and is gone from here by then. */
export interface Closable {
  close(): void;
}

export class HalfOpen<T extends Closable> {
  readonly #most: number;
  /** By source, each oldest first. */
  readonly #waiting = new Map<string, Set<T>>();
  #size = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  add(one: T, source: string): void {
    if (this.#size >= this.#most) this.#makeRoom();
    const waiting = this.#waiting.get(source) ?? new Set();
    this.#waiting.set(source, waiting.add(one));
    this.#size++;
  }

  /** Also of one that was never added. */
  delete(one: T, source: string): void {
    const waiting = this.#waiting.get(source);
    if (waiting?.delete(one) !== true) return;
    this.#size--;
    if (waiting.size === 0) this.#waiting.delete(source);
  }

  #makeRoom(): void {
    let [largest] = this.#waiting;
    for (const entry of this.#waiting) if (entry[1].size > largest![1].size) largest = entry;
    const [source, waiting] = largest!;
    const [oldest] = waiting;
    this.delete(oldest!, source);
    oldest!.close();
  }
}
