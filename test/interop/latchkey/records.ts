/**
 * Records of the second implementation (docs/protocol.md, "Records"): one counter for each direction of each stream in
 * each epoch, and the rule that a stream never goes back to an earlier epoch.
 */
import { Cursor, cat, must, padded, uint } from './bytes.ts';
import { type Epoch, streamKey } from './keys.ts';
import { open, seal } from './suite.ts';

export const kind = {
  data: 0x01,
  fin: 0x02,
  rst: 0x03,
  open: 0x04,
  openOk: 0x05,
  openErr: 0x06,
  window: 0x07,
  ping: 0x10,
  pong: 0x11,
  rkInit: 0x20,
  rkResp: 0x21,
  rkDone: 0x22,
  rkReq: 0x23,
  reauth: 0x28,
  reauthAck: 0x29,
  notice: 0x30,
  close: 0x3f,
} as const;

export type Role = 'client' | 'gateway';
type Key = { readonly bytes: Uint8Array; counter: number };

const place = (role: Role, id: bigint, n: number): Uint8Array =>
  cat(uint(role === 'client' ? 0 : 1, 1), uint(id, 8), uint(n, 4));

export class Records {
  readonly #role: Role;
  readonly #epochs = new Map<number, Epoch>();
  readonly #keys = new Map<string, Key>();
  /** By stream: the epoch of the last record received. */
  readonly #received = new Map<bigint, number>();
  /** The epoch we seal under. */
  sending: Epoch;

  constructor(role: Role, first: Epoch) {
    this.#role = role;
    this.sending = first;
    this.install(first);
  }

  /** Records of it may come from now on. */
  install(epoch: Epoch): void {
    must(!this.#epochs.has(epoch.n), 'an epoch installed twice');
    this.#epochs.set(epoch.n, epoch);
    this.#epochs.delete(epoch.n - 2);
  }

  epochOf(n: number): Epoch {
    const epoch = this.#epochs.get(n);
    must(epoch !== undefined, 'an epoch without keys');
    return epoch;
  }

  seal(id: bigint, type: number, content: Uint8Array): Uint8Array {
    const { n } = this.sending;
    const step = type === kind.data ? 16 : 64;
    const inner = padded(cat(content, uint(type, 1)), Math.ceil((content.length + 1) / step) * step);
    const header = cat(uint(0x17, 1), uint(n & 255, 1), uint(inner.length + 16, 2));
    const key = this.#key(this.#role, id, n);
    return cat(header, seal(key.bytes, key.counter++, cat(place(this.#role, id, n), header), inner));
  }

  open(id: bigint, bytes: Uint8Array): { type: number; content: Uint8Array; n: number } {
    const from = new Cursor(bytes);
    const header = from.take(4);
    must(header[0] === 0x17 && bytes.length === 4 + header[2]! * 256 + header[3]!, 'no record');
    const n = Array.from(this.#epochs.keys()).find((live) => (live & 255) === header[1]);
    must(n !== undefined && n >= (this.#received.get(id) ?? 0), 'a record of an epoch that is over');
    const peer = this.#role === 'client' ? 'gateway' : 'client';
    const key = this.#key(peer, id, n);
    const inner = open(key.bytes, key.counter, cat(place(peer, id, n), header), from.rest());
    key.counter++;
    this.#received.set(id, n);
    const end = inner.findLastIndex((byte) => byte !== 0);
    must(end >= 0, 'a record without a type');
    return { type: inner[end]!, content: inner.slice(0, end), n };
  }

  #key(role: Role, id: bigint, n: number): Key {
    const name = `${role} ${id} ${n}`;
    const epoch = this.epochOf(n);
    const key = this.#keys.get(name) ?? { bytes: streamKey(role === 'client' ? epoch.S_c : epoch.S_g, id), counter: 0 };
    this.#keys.set(name, key);
    return key;
  }
}
