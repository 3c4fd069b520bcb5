/** Values that arrive one by one for one reader who may be late. */
export class Arrivals<T> {
  readonly #waiting: T[] = [];
  #reader: ((value: T | null) => void) | undefined;
  #ended = false;

  /** Adds a value; ignored after the end. */
  push(value: T): void {
    if (this.#ended) return;
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader === undefined) this.#waiting.push(value);
    else reader(value);
  }

  /** The next value, or null after the end. One reader at a time. */
  next(): Promise<T | null> {
    const value = this.#waiting.shift();
    if (value !== undefined) return Promise.resolve(value);
    if (this.#ended) return Promise.resolve(null);
    if (this.#reader !== undefined) throw new TypeError('a read is under way');
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }

  /** What waits can still be read, then null. */
  end(): void {
    this.#ended = true;
    this.#reader?.(null);
    this.#reader = undefined;
  }
}
