/**
 * One datagram of a flow, sealed and opened (docs/protocol.md, "Records": Datagrams).
 *
 *     0  1  0x44       1  1  epoch, low byte       2  4  flow       6  8  counter       14  n  ciphertext
 *     AD = direction u8 | epoch u32 | the fourteen header bytes
 *     inner plaintext = content | 01 | zeros to a multiple of 16
 *
 * Which flows there are and which epochs are good is session-datagrams.ts's business.
 */
import { Reader, Writer, wipe } from './bytes.ts';
import type { Crypto, DatagramOpener as Key, Sealer } from './crypto.ts';
import * as limits from './limits.ts';
import { direction, type Role, recordKind } from './record.ts';
import { ReplayWindow } from './replay-window.ts';
import { datagramKey } from './schedule.ts';
import { SessionError } from './session-error.ts';

/** Where a datagram's key belongs, after record.ts. */
export type DatagramPlace = {
  readonly role: Role;
  readonly flow: number;
  readonly epoch: number;
  /** The epoch's secret of this direction. */
  readonly secret: Uint8Array;
};

/** What a datagram says of itself in the clear. */
export type DatagramHeader = { readonly epochByte: number; readonly flow: number; readonly counter: bigint };

/** Why a datagram was dropped. */
export type DatagramDrop = 'malformed' | 'unknown' | 'late' | 'replayed' | 'forged' | 'ended' | 'full';

/** Bytes that a content of this length becomes. */
export function datagramBytes(content: number): number {
  return limits.datagramHeaderBytes + innerBytes(content) + limits.tagBytes;
}

function innerBytes(content: number): number {
  return Math.ceil((content + 1) / limits.dataPaddingBytes) * limits.dataPaddingBytes;
}

/** @param datagram hostile. @returns undefined when it is none of ours */
export function readHeader(datagram: Uint8Array): DatagramHeader | undefined {
  const sealed = datagram.length - limits.datagramHeaderBytes;
  if (sealed < limits.dataPaddingBytes + limits.tagBytes || sealed > limits.maxRecordBytes + limits.tagBytes)
    return undefined;
  const reader = new Reader(datagram.subarray(0, limits.datagramHeaderBytes));
  if (reader.u8() !== limits.datagramType) return undefined;
  return { epochByte: reader.u8(), flow: reader.u32(), counter: reader.u64() };
}

function associatedData({ role, epoch }: DatagramPlace, header: Uint8Array): Uint8Array {
  return new Writer().u8(direction[role]).u32(epoch).bytes(header).done();
}

function withKey<T>(crypto: Crypto, { secret, flow }: DatagramPlace, use: (key: Uint8Array) => T): T {
  const key = datagramKey(crypto, secret, flow);
  try {
    return use(key);
  } finally {
    wipe(key);
  }
}

/** Seals the datagrams of one place, each under the next counter. */
export class DatagramSealer {
  readonly epoch: number;
  readonly #place: DatagramPlace;
  readonly #sealer: Sealer;
  readonly #most: number;

  constructor(crypto: Crypto, place: DatagramPlace, most: number) {
    this.epoch = place.epoch;
    this.#place = place;
    this.#sealer = withKey(crypto, place, (key) => crypto.sealer(key));
    this.#most = most;
  }

  get count(): number {
    return this.#sealer.count;
  }

  /** @returns the whole datagram, the caller's to keep. @throws SessionError 'rekey_timeout' when the key is used up */
  seal(content: Uint8Array): Uint8Array<ArrayBuffer> {
    if (this.#sealer.count >= this.#most) throw new SessionError('rekey_timeout', 'key used up');
    const { epoch, flow } = this.#place;
    const header = new Writer()
      .u8(limits.datagramType)
      .u8(epoch & 0xff)
      .u32(flow)
      .u64(BigInt(this.#sealer.count))
      .done();
    const inner = new Uint8Array(innerBytes(content.length));
    inner.set(content);
    inner[content.length] = recordKind.data;
    try {
      const sealed = this.#sealer.seal(associatedData(this.#place, header), inner);
      return new Writer().bytes(header).bytes(sealed).done();
    } finally {
      wipe(inner);
    }
  }

  wipe(): void {
    this.#sealer.wipe();
  }
}

/** Opens the datagrams of one place, in whatever order they come, each once. Drops and says why; never throws. */
export class DatagramOpener {
  readonly #place: DatagramPlace;
  readonly #key: Key;
  readonly #most: number;
  readonly #mostForged: number;
  readonly #window = new ReplayWindow(limits.datagramWindow);
  #forged = 0;

  /** @param most counters, and @param mostForged failures, that the key is good for */
  constructor(crypto: Crypto, place: DatagramPlace, most: number, mostForged: number) {
    this.#place = place;
    this.#key = withKey(crypto, place, (key) => crypto.datagramOpener(key));
    this.#most = most;
    this.#mostForged = mostForged;
  }

  /** So many failed that nothing more is taken under this key. */
  get isEnded(): boolean {
    return this.#forged >= this.#mostForged;
  }

  /** @returns the content, a view that the next open may overwrite; or why there is none */
  open(datagram: Uint8Array, { counter }: DatagramHeader): Uint8Array | DatagramDrop {
    if (this.isEnded) return 'ended';
    // Nobody honest counts so far, so this is as good as a failed tag.
    const index = Number(counter);
    if (index >= this.#most) return this.#fail();
    if (!this.#window.mayTake(index)) return 'replayed';
    const header = datagram.subarray(0, limits.datagramHeaderBytes);
    const sealed = datagram.subarray(limits.datagramHeaderBytes);
    const inner = this.#key.open(index, associatedData(this.#place, header), sealed);
    if (inner === null) return this.#fail();
    this.#window.take(index);
    return unpad(inner);
  }

  #fail(): DatagramDrop {
    this.#forged++;
    if (this.isEnded) this.wipe();
    return 'forged';
  }

  wipe(): void {
    this.#key.wipe();
  }
}

/** One content has one encoding: other padding, and any other type, is refused. */
function unpad(inner: Uint8Array): Uint8Array | DatagramDrop {
  let end = inner.length - 1;
  while (end >= 0 && inner[end] === 0) end--;
  if (inner[end] !== recordKind.data || innerBytes(end) !== inner.length) return 'malformed';
  return inner.subarray(0, end);
}
