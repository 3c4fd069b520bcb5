/**
 * One record: content, type and padding under the key of one direction of one stream in one epoch (docs/protocol.md,
 * "Records"; the inner type and zero padding are TLS 1.3's, RFC 8446 section 5.2).
 *
 *     0  1  0x17        1  1  epoch, low byte        2  2  length of what follows
 *     4  n  AEAD(key, counter, AD, content | type u8 | zeros)
 *     AD = direction u8 | stream id u64 | epoch u32 | the four header bytes
 *
 * The counter is implicit: a record that was dropped, repeated or moved fails its tag. Which epoch a record may come
 * from, and when keys go, is for session-epochs.ts and record-link.ts.
 */
import { wipe } from './bytes.ts';
import type { Crypto, Opener, Sealer } from './crypto.ts';
import * as limits from './limits.ts';
import { streamKey } from './schedule.ts';
import { SessionError } from './session-error.ts';
import { maxContentBytes } from './session-limits.ts';

/** What a record says (docs/protocol.md, "Records"). */
export const recordKind = {
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
  stepup: 0x2a,
  stepupAssert: 0x2b,
  notice: 0x30,
  close: 0x3f,
} as const;

/** Who sealed a record; the first byte of its AD, so that no record can be turned around. */
export const direction = { client: 0, gateway: 1 } as const;
export type Role = keyof typeof direction;
/** The other end's role. */
export const other = { client: 'gateway', gateway: 'client' } as const;

/** Where a key belongs. Two places never share a key, and AD repeats the place. */
export type KeyPlace = {
  readonly role: Role;
  readonly streamId: bigint;
  readonly epoch: number;
  /** The epoch's secret of this direction. */
  readonly secret: Uint8Array;
};

const adBytes = 17;
const headerAt = adBytes - limits.recordHeaderBytes;

/** Where plaintext is put together. Everything here is synchronous, and it is zero again whenever nothing runs. */
const scratch = new Uint8Array(limits.maxRecordBytes);

/** Length of content, type and padding together: data hides little (16), control hides which message it is (64). */
function innerBytes(kind: number, contentBytes: number): number {
  const step = kind === recordKind.data ? limits.dataPaddingBytes : limits.controlPaddingBytes;
  return Math.ceil((contentBytes + 1) / step) * step;
}

function associatedData(place: KeyPlace): Uint8Array<ArrayBuffer> {
  const ad = new Uint8Array(adBytes);
  const view = new DataView(ad.buffer);
  view.setUint8(0, direction[place.role]);
  view.setBigUint64(1, place.streamId);
  view.setUint32(9, place.epoch);
  view.setUint8(headerAt, limits.recordType);
  view.setUint8(headerAt + 1, place.epoch & 0xff);
  return ad;
}

function withKey<T>(crypto: Crypto, place: KeyPlace, use: (key: Uint8Array) => T): T {
  const key = streamKey(crypto, place.secret, place.streamId);
  try {
    return use(key);
  } finally {
    wipe(key);
  }
}

/** Seals the records of one place, each under the next counter. */
export class RecordSealer {
  readonly epoch: number;
  readonly #ad: Uint8Array<ArrayBuffer>;
  readonly #sealer: Sealer;
  readonly #maxRecords: number;

  constructor(crypto: Crypto, place: KeyPlace, maxRecords: number) {
    this.epoch = place.epoch;
    this.#ad = associatedData(place);
    this.#sealer = withKey(crypto, place, (key) => crypto.sealer(key));
    this.#maxRecords = maxRecords;
  }

  get count(): number {
    return this.#sealer.count;
  }

  /** @returns the whole frame, the caller's until {@link release}. @throws SessionError 'rekey_timeout' when the key is used up */
  seal(kind: number, content: Uint8Array): Uint8Array<ArrayBuffer> {
    if (content.length > maxContentBytes) throw new TypeError('the content does not fit in one record');
    if (this.#sealer.count >= this.#maxRecords) throw new SessionError('rekey_timeout', 'key used up');
    const inner = scratch.subarray(0, innerBytes(kind, content.length));
    try {
      inner.set(content);
      inner[content.length] = kind;
      return this.#frame(inner);
    } finally {
      wipe(inner);
    }
  }

  #frame(inner: Uint8Array): Uint8Array<ArrayBuffer> {
    const length = inner.length + limits.tagBytes;
    this.#ad[headerAt + 2] = length >> 8;
    this.#ad[headerAt + 3] = length & 0xff;
    return this.#sealer.frame(this.#ad.subarray(headerAt), this.#ad, inner);
  }

  /** The transport has the frame; its memory may be used again. */
  release(frame: Uint8Array<ArrayBuffer>): void {
    this.#sealer.release(frame);
  }

  wipe(): void {
    this.#sealer.wipe();
  }
}

/** What a record held. The content is a view that the next {@link RecordOpener.open} may overwrite. */
export type OpenedRecord = { readonly kind: number; readonly content: Uint8Array };

/** Opens the records of one place, in the order they were sealed. */
export class RecordOpener {
  readonly epoch: number;
  readonly #ad: Uint8Array<ArrayBuffer>;
  readonly #opener: Opener;
  readonly #maxRecords: number;

  constructor(crypto: Crypto, place: KeyPlace, maxRecords: number) {
    this.epoch = place.epoch;
    this.#ad = associatedData(place);
    this.#opener = withKey(crypto, place, (key) => crypto.opener(key));
    this.#maxRecords = maxRecords;
  }

  get count(): number {
    return this.#opener.count;
  }

  /** @param frame hostile; its epoch byte chose this opener. @throws SessionError 'decrypt', 'decode', 'rekey_timeout' */
  open(frame: Uint8Array): OpenedRecord {
    if (this.#opener.count >= this.#maxRecords) throw new SessionError('rekey_timeout', 'key used up');
    const sealed = frame.subarray(limits.recordHeaderBytes);
    checkLength(sealed.length, frame[2]! * 256 + frame[3]!);
    this.#ad.set(frame.subarray(0, limits.recordHeaderBytes), headerAt);
    const inner = this.#opener.open(this.#ad, sealed);
    if (inner === null) throw new SessionError('decrypt', 'tag');
    return unpad(inner);
  }

  wipe(): void {
    this.#opener.wipe();
  }
}

function checkLength(sealed: number, announced: number): void {
  const inner = sealed - limits.tagBytes;
  if (sealed !== announced || inner < limits.dataPaddingBytes || inner > limits.maxRecordBytes)
    throw new SessionError('decode', 'record length');
}

/** The type is the last byte that is not zero. One content has one encoding: other padding is refused. */
function unpad(inner: Uint8Array): OpenedRecord {
  let end = inner.length - 1;
  while (end >= 0 && inner[end] === 0) end--;
  const kind = inner[end];
  if (kind === undefined || innerBytes(kind, end) !== inner.length) throw new SessionError('decode', 'padding');
  return { kind, content: inner.subarray(0, end) };
}
