/** What is really in use while bytes stream through: measured after a collection, every few megabytes. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const everyBytes = 8 << 20;

export class LiveMemory {
  readonly #first = inUse();
  #most = 0;
  #since = 0;

  /** Call for each chunk. */
  moved(bytes: number): void {
    this.#since += bytes;
    if (this.#since < everyBytes) return;
    this.#since = 0;
    this.#most = Math.max(this.#most, inUse());
  }

  /** Bytes above the beginning, at the worst moment measured. */
  get growth(): number {
    if (this.#most === 0) throw new Error('nothing was measured');
    return this.#most - this.#first;
  }
}

function inUse(): number {
  collect();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}
