/**
 * The exchange that makes the next pre-shared key of a WireGuard peer of ours. WireGuard mixes a pre-shared key into its
 * handshake so that a recording does not open when X25519 falls (Donenfeld, section 5.2); this makes that key by
 * X25519 and ML-KEM-768 together, inside the tunnel, again and again. Each key is bound to the one before it, to both
 * WireGuard keys and to everything that was said, and both ends have shown that they hold it before it is used.
 * Not for the first key of all, which comes from the control plane, and not for timing (keeper.ts).
 *
 *     gateway                                            connector
 *     OFFER   01 | version u16 | base u64 | share_c 1216 | tag 32       tag under the base key
 *                                     ANSWER  02 | share_g 1120 | tag 32       tags from here on under the new key
 *     CONFIRM 03 | tag 32                                               the connector now uses the new key
 *                                     DONE    04 | tag 32               and now the gateway does
 *
 *     t0 = H("Latchkey PSK/1" | 00 | gateway's WireGuard key 32 | connector's 32)
 *     t1 = H(t0 | OFFER without tag)            t2 = H(t1 | OFFER's tag | share_g)
 *     RS = HKDF-Extract(salt = base key, IKM = ss_mlkem | ss_x25519)
 *     next key, and the keys of the three tags = HKDF-Expand(RS, "latchkey psk/1 " label | 00 | t2, 32)
 *     OFFER's tag = HMAC(HKDF-Expand(base key, "latchkey psk/1 offer" | 00 | t1, 32), t1), the others HMAC(their key, t2)
 *
 * The same shape as a rekey of the tunnel (docs/protocol.md, "Rekey"); the labels keep the two apart.
 */
import { concat, equal, Reader, utf8, Writer, wipe } from '../../protocol/bytes.ts';
import type { Crypto, KeyOffer } from '../../protocol/crypto.ts';
import { answerBytes, offerBytes } from '../../protocol/limits.ts';
import { KeyExchangeError, mixSharedSecret } from '../../protocol/schedule.ts';

type Primitives = Pick<Crypto, 'sha256' | 'hmac' | 'extract' | 'expand' | 'offer' | 'answer'>;

const version = 1;
const keyBytes = 32;
const tagBytes = 32;
/** Whole messages, in their order. Each has one length, so no length is on the wire. */
export const messageBytes = {
  offer: 1 + 2 + 8 + offerBytes + tagBytes,
  answer: 1 + answerBytes + tagBytes,
  confirm: 1 + tagBytes,
  done: 1 + tagBytes,
} as const;
const type = { offer: 1, answer: 2, confirm: 3, done: 4 } as const;

/** Of which two peers: their WireGuard public keys, 32 bytes each. */
export interface Identities {
  readonly gateway: Uint8Array;
  readonly connector: Uint8Array;
}

/** A pre-shared key and how many exchanges led to it; 0 is the control plane's. */
export interface Epoch {
  readonly number: bigint;
  /** 32 bytes, secret. */
  readonly key: Uint8Array;
}

export type PskErrorCode = 'version' | 'base_unknown' | 'tag' | 'order' | 'share' | 'closed';

/** The other end said what the exchange does not know, or there is no other end. Nothing was changed. */
export class PskError extends Error {
  readonly code: PskErrorCode;
  constructor(code: PskErrorCode, options?: ErrorOptions) {
    super(`psk exchange: ${code}`, options);
    this.name = 'PskError';
    this.code = code;
  }
}

/** The gateway's half, for one exchange. Wipe it in every outcome. */
export class PskInitiator {
  readonly #crypto: Primitives;
  readonly #base: Epoch;
  readonly #keys: KeyOffer;
  readonly #offer: Uint8Array;
  readonly #transcript: Uint8Array;
  #next: Secrets | undefined;

  constructor(crypto: Primitives, identities: Identities, base: Epoch) {
    this.#crypto = crypto;
    this.#base = base;
    this.#keys = crypto.offer();
    const core = offerCore(base.number, this.#keys.share);
    const t1 = crypto.sha256(begin(crypto, identities), core);
    const tag = offerTag(crypto, base.key, t1);
    this.#offer = concat(core, tag);
    this.#transcript = crypto.sha256(t1, tag);
  }

  /** OFFER. */
  get offer(): Uint8Array {
    return this.#offer;
  }

  /** Takes ANSWER, makes CONFIRM. @throws PskError */
  confirm(message: Uint8Array): Uint8Array {
    if (this.#next !== undefined) throw new PskError('order');
    const { body, tag } = open(message, 'answer');
    const t2 = this.#crypto.sha256(this.#transcript, body);
    const next = derive(this.#crypto, this.#base, t2, () => this.#keys.finish(body));
    this.#next = next;
    check(this.#crypto, next.answer, t2, tag);
    return sealed(this.#crypto, 'confirm', next.confirm, t2);
  }

  /** Takes DONE. @returns the new epoch, whose key is the caller's to wipe. @throws PskError */
  done(message: Uint8Array): Epoch {
    const next = this.#next;
    if (next === undefined) throw new PskError('order');
    check(this.#crypto, next.done, next.transcript, open(message, 'done').tag);
    return { number: this.#base.number + 1n, key: Uint8Array.from(next.key) };
  }

  wipe(): void {
    this.#keys.wipe();
    wipeSecrets(this.#next);
  }
}

/** The connector's half, for one exchange. Wipe it in every outcome. */
export class PskResponder {
  readonly #crypto: Primitives;
  readonly #identities: Identities;
  readonly #known: (number: bigint) => Epoch | undefined;
  #base: bigint | undefined;
  #next: Secrets | undefined;

  /** @param known the epochs that may be built on: the present one, and the one before while DONE may have been lost. */
  constructor(crypto: Primitives, identities: Identities, known: (number: bigint) => Epoch | undefined) {
    this.#crypto = crypto;
    this.#identities = identities;
    this.#known = known;
  }

  /** Takes OFFER, makes ANSWER. The tag is looked at before any key operation. @throws PskError */
  answer(message: Uint8Array): Uint8Array {
    if (this.#next !== undefined) throw new PskError('order');
    const { number, core, share, tag } = openOffer(message);
    const base = this.#known(number);
    if (base === undefined) throw new PskError('base_unknown');
    const t1 = this.#crypto.sha256(begin(this.#crypto, this.#identities), core);
    if (!equal(offerTag(this.#crypto, base.key, t1), tag)) throw new PskError('tag');
    const answer = this.#encapsulate(share);
    const t2 = this.#crypto.sha256(this.#crypto.sha256(t1, tag), answer.share);
    const next = derive(this.#crypto, base, t2, () => answer.secret);
    this.#next = next;
    this.#base = base.number;
    const proof = this.#crypto.hmac(next.answer, t2);
    return concat(Uint8Array.of(type.answer), answer.share, proof);
  }

  /** Takes CONFIRM. @returns the new epoch, whose key is the caller's to wipe, and DONE. @throws PskError */
  finish(message: Uint8Array): { epoch: Epoch; done: Uint8Array } {
    const next = this.#next;
    if (next === undefined || this.#base === undefined) throw new PskError('order');
    check(this.#crypto, next.confirm, next.transcript, open(message, 'confirm').tag);
    return {
      epoch: { number: this.#base + 1n, key: Uint8Array.from(next.key) },
      done: sealed(this.#crypto, 'done', next.done, next.transcript),
    };
  }

  wipe(): void {
    wipeSecrets(this.#next);
  }

  #encapsulate(share: Uint8Array) {
    try {
      return this.#crypto.answer(share);
    } catch (cause) {
      throw new PskError('share', { cause });
    }
  }
}

/** What both halves derive; all but the transcript is secret. */
interface Secrets {
  readonly key: Uint8Array;
  readonly answer: Uint8Array;
  readonly confirm: Uint8Array;
  readonly done: Uint8Array;
  readonly transcript: Uint8Array;
}

function derive(crypto: Primitives, base: Epoch, transcript: Uint8Array, secret: () => Uint8Array): Secrets {
  let shared: Uint8Array | undefined;
  let mixed: Uint8Array | undefined;
  try {
    shared = secret();
    mixed = mixSharedSecret(crypto, base.key, shared);
    const of = (label: Label) => expand(crypto, mixed!, label, transcript);
    return { key: of('next'), answer: of('answer'), confirm: of('confirm'), done: of('done'), transcript };
  } catch (cause) {
    if (cause instanceof KeyExchangeError || cause instanceof RangeError) throw new PskError('share', { cause });
    throw cause;
  } finally {
    wipe(shared, mixed);
  }
}

type Label = 'offer' | 'answer' | 'confirm' | 'done' | 'next';

function expand(crypto: Primitives, key: Uint8Array, label: Label, transcript: Uint8Array): Uint8Array {
  return crypto.expand(key, concat(utf8(`latchkey psk/1 ${label}`), Uint8Array.of(0), transcript), keyBytes);
}

function begin(crypto: Primitives, { gateway, connector }: Identities): Uint8Array {
  return crypto.sha256(utf8('Latchkey PSK/1'), Uint8Array.of(0), gateway, connector);
}

function offerCore(base: bigint, share: Uint8Array): Uint8Array {
  return new Writer().u8(type.offer).u16(version).u64(base).bytes(share).done();
}

function offerTag(crypto: Primitives, key: Uint8Array, t1: Uint8Array): Uint8Array {
  const mac = expand(crypto, key, 'offer', t1);
  try {
    return crypto.hmac(mac, t1);
  } finally {
    wipe(mac);
  }
}

/** @param message hostile */
function openOffer(message: Uint8Array) {
  const reader = readerOf(message, 'offer');
  if (reader.u16() !== version) throw new PskError('version');
  const number = reader.u64();
  const share = reader.bytes(offerBytes);
  return { number, share, tag: reader.bytes(tagBytes), core: message.subarray(0, message.length - tagBytes) };
}

/** @param message hostile */
function open(message: Uint8Array, name: 'answer' | 'confirm' | 'done'): { body: Uint8Array; tag: Uint8Array } {
  const reader = readerOf(message, name);
  return { body: reader.bytes(messageBytes[name] - 1 - tagBytes), tag: reader.bytes(tagBytes) };
}

function readerOf(message: Uint8Array, name: keyof typeof type): Reader {
  if (message.length !== messageBytes[name]) throw new PskError('order');
  const reader = new Reader(message);
  if (reader.u8() !== type[name]) throw new PskError('order');
  return reader;
}

function sealed(crypto: Primitives, name: 'confirm' | 'done', key: Uint8Array, transcript: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(type[name]), crypto.hmac(key, transcript));
}

function check(crypto: Primitives, key: Uint8Array, transcript: Uint8Array, tag: Uint8Array): void {
  if (!equal(crypto.hmac(key, transcript), tag)) throw new PskError('tag');
}

function wipeSecrets(secrets: Secrets | undefined): void {
  if (secrets !== undefined) wipe(secrets.key, secrets.answer, secrets.confirm, secrets.done);
}
