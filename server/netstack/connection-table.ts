/**
 * Finds the connection of a segment by its four-tuple, straight from the packet's bytes: a string key for every
 * packet would cost more than the rest of its way. The hash is salted, so nobody outside can choose collisions.
 */
import { sameBytes } from './address.ts';
import type { Connection } from './connection.ts';
import type { Flow } from './flow.ts';

const FNV_PRIME = 0x01000193;

export class ConnectionTable {
  readonly #buckets = new Map<number, Connection>();
  readonly #salt: number;
  #size = 0;

  constructor(salt: number) {
    this.#salt = salt;
  }

  get size(): number {
    return this.#size;
  }

  /** Addresses as they lie in `bytes`, `length` long each. */
  find(
    bytes: Uint8Array,
    localAt: number,
    localPort: number,
    remoteAt: number,
    remotePort: number,
    length: number,
  ): Connection | null {
    const key = this.#hash(bytes, remoteAt, length, localPort, remotePort);
    let entry = this.#buckets.get(key) ?? null;
    for (; entry !== null; entry = entry.next) {
      const { flow } = entry;
      if (
        flow.localPort === localPort &&
        flow.remotePort === remotePort &&
        flow.local.length === length &&
        sameBytes(flow.remote, 0, bytes, remoteAt, length) &&
        sameBytes(flow.local, 0, bytes, localAt, length)
      ) {
        return entry;
      }
    }
    return null;
  }

  has(local: Uint8Array, localPort: number, remote: Uint8Array, remotePort: number): boolean {
    const pair = new Uint8Array([...local, ...remote]);
    return this.find(pair, 0, localPort, local.length, remotePort, local.length) !== null;
  }

  add(connection: Connection): void {
    const key = this.#keyOf(connection.flow);
    connection.next = this.#buckets.get(key) ?? null;
    this.#buckets.set(key, connection);
    this.#size++;
  }

  remove(connection: Connection): void {
    const key = this.#keyOf(connection.flow);
    const first = this.#buckets.get(key);
    if (first === connection) {
      if (connection.next === null) this.#buckets.delete(key);
      else this.#buckets.set(key, connection.next);
      this.#size--;
      return;
    }
    for (let entry = first ?? null; entry !== null; entry = entry.next) {
      if (entry.next !== connection) continue;
      entry.next = connection.next;
      this.#size--;
      return;
    }
  }

  /** A copy, so that connections may be removed while it is walked. */
  all(): Connection[] {
    const all: Connection[] = [];
    for (const first of this.#buckets.values()) {
      for (let entry: Connection | null = first; entry !== null; entry = entry.next) all.push(entry);
    }
    return all;
  }

  #keyOf(flow: Flow): number {
    return this.#hash(flow.remote, 0, flow.remote.length, flow.localPort, flow.remotePort);
  }

  #hash(bytes: Uint8Array, remoteAt: number, length: number, localPort: number, remotePort: number): number {
    let hash = this.#salt;
    for (let i = 0; i < length; i++) hash = Math.imul(hash ^ bytes[remoteAt + i]!, FNV_PRIME);
    hash = Math.imul(hash ^ localPort, FNV_PRIME);
    return Math.imul(hash ^ remotePort, FNV_PRIME);
  }
}
