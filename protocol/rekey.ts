/**
 * From epoch n to n+1 inside the channel, both halves (docs/protocol.md, "Rekey").
 *
 *     C  RK_INIT  n+1 u32 | share_c 1216       under n
 *     G  RK_RESP  n+1 u32 | share_g 1120       under n, and G can open n+1 from here on
 *     C  RK_DONE  n+1 u32 | confirmation 32    under n+1; C seals under n+1 from RK_RESP on, G from RK_DONE on
 *
 * The client alone starts, so two rekeys never cross. Each step happens once: its state is left before its key is
 * installed. Which records may come from which epoch is session-epochs.ts's business.
 */
import { DecodeError, equal, Reader, Writer, wipe } from './bytes.ts';
import type { Clock } from './clock.ts';
import type { Crypto, KeyAnswer, KeyOffer } from './crypto.ts';
import * as limits from './limits.ts';
import { recordKind } from './record.ts';
import type { RecordLayer } from './record-layer.ts';
import { nextEpoch, rekeyConfirm } from './schedule.ts';
import { SessionError } from './session-error.ts';

export type RekeyHost = {
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly layer: RecordLayer;
  /** Seals on the control stream. */
  readonly send: (kind: number, content: Uint8Array) => void;
  /** A rekey began, or the session seals under a new epoch. */
  readonly onChange: () => void;
};

function encodeStep(epoch: number, rest: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Writer().u32(epoch).bytes(rest).done();
}

/** @returns what follows the epoch number. @throws DecodeError, SessionError for any epoch but the expected one */
function decodeStep(content: Uint8Array, epoch: number, length: number): Uint8Array {
  const reader = new Reader(content);
  const named = reader.u32();
  const rest = reader.bytes(length);
  reader.end();
  if (named !== epoch) throw new SessionError('decode', 'rekey to another epoch');
  return rest;
}

// ── client ──

export type ClientRekeyHost = RekeyHost & {
  readonly rekeyAfterMs: number;
  /** In 3 s the time for a rekey has come. */
  readonly onSoon: () => void;
  /** The gateway has not answered for 15 s: time to make a session beside this one. */
  readonly onOverdue: () => void;
};

type Asked = { readonly offer: KeyOffer; readonly init: Uint8Array };

export class ClientRekey {
  readonly #host: ClientRekeyHost;
  #asked: Asked | undefined;
  #isDue = false;
  #cancelTimer: () => void = () => {};
  #cancelSoon: () => void = () => {};
  #cancelOverdue: () => void = () => {};

  constructor(host: ClientRekeyHost) {
    this.#host = host;
    this.#schedule();
  }

  get isUnderWay(): boolean {
    return this.#asked !== undefined;
  }

  /** 120 s after the epoch began, give or take 5 %, so that a thousand tabs do not rekey at once. */
  #schedule(): void {
    const { clock, crypto, rekeyAfterMs, layer, onSoon } = this.#host;
    const share = new Reader(crypto.random(2)).u16() / 0xffff; // 0 to 1
    const afterMs = rekeyAfterMs * (1 + limits.rekeyJitter * (2 * share - 1));
    const dueMs = Math.max(0, layer.epochs.beganAt + afterMs - clock.monotonic());
    this.#cancelTimers();
    this.#cancelSoon = clock.after(Math.max(0, dueMs - limits.rekeySoonMs), onSoon);
    this.#cancelTimer = clock.after(dueMs, () => this.start());
  }

  #cancelTimers(): void {
    this.#cancelTimer();
    this.#cancelSoon();
  }

  /** Starts now: the time has come, the keys have worked enough, or the gateway asks. Once an epoch. */
  start(): void {
    const { clock, crypto, layer } = this.#host;
    if (this.#asked) return;
    if (layer.epochs.isFull) {
      this.#isDue = true; // rekeys outran the streams; the next sweep makes room
      return;
    }
    this.#isDue = false;
    this.#cancelTimers();
    const offer = crypto.offer();
    const init = encodeStep(layer.epochs.sendingNumber + 1, offer.share);
    this.#asked = { offer, init };
    this.#cancelOverdue = clock.after(limits.rekeyAnswerMs, () => this.#host.onOverdue());
    this.#host.send(recordKind.rkInit, init);
    this.#host.onChange();
  }

  /** Old epochs were forgotten: room for a rekey that had to wait. */
  retry(): void {
    if (this.#isDue) this.start();
  }

  /** RK_RESP */
  takeResponse(content: Uint8Array): void {
    const asked = this.#asked;
    if (!asked) throw new SessionError('decode', 'RK_RESP nobody asked for');
    this.#asked = undefined;
    this.#cancelOverdue();
    this.#advance(asked, content);
    this.#schedule();
    this.#host.onChange();
  }

  #advance({ offer, init }: Asked, resp: Uint8Array): void {
    const { crypto, layer, send } = this.#host;
    const current = layer.epochs.sending;
    const share = decodeStep(resp, current.number + 1, limits.answerBytes);
    let shared: Uint8Array | undefined;
    try {
      shared = finish(offer, share);
      // e, es, both halves of ss: RS = HKDF-Extract(CK_n, ss_mlkem | ss_x25519)
      const next = nextEpoch(crypto, current, init, resp, shared);
      layer.epochs.install(next);
      layer.promote();
      send(recordKind.rkDone, encodeStep(next.number, rekeyConfirm(crypto, next)));
    } finally {
      wipe(shared);
      offer.wipe();
    }
  }

  wipe(): void {
    this.#cancelTimers();
    this.#cancelOverdue();
    this.#asked?.offer.wipe();
    this.#asked = undefined;
  }
}

/** A share that yields nothing and a tag that fails look alike. */
function finish(offer: KeyOffer, share: Uint8Array): Uint8Array {
  try {
    return offer.finish(share);
  } catch (cause) {
    throw new SessionError('decrypt', 'RK_RESP share', { cause });
  }
}

// ── gateway ──

export class GatewayRekey {
  readonly #host: RekeyHost;
  #awaitsDone = false;

  constructor(host: RekeyHost) {
    this.#host = host;
  }

  get isUnderWay(): boolean {
    return this.#awaitsDone;
  }

  /** Asks the client to start one. */
  request(): void {
    if (!this.#awaitsDone) this.#host.send(recordKind.rkReq, new Uint8Array(0));
  }

  /** RK_INIT */
  takeInit(init: Uint8Array): void {
    const { crypto, layer, send } = this.#host;
    if (this.#awaitsDone) throw new SessionError('decode', 'RK_INIT before RK_DONE');
    if (layer.epochs.isFull) throw new SessionError('too_many', 'epochs');
    const current = layer.epochs.sending;
    const answer = this.#answer(decodeStep(init, current.number + 1, limits.offerBytes));
    try {
      const resp = encodeStep(current.number + 1, answer.share);
      const next = nextEpoch(crypto, current, init, resp, answer.secret);
      this.#awaitsDone = true;
      send(recordKind.rkResp, resp);
      layer.epochs.install(next);
    } finally {
      wipe(answer.secret);
    }
    this.#host.onChange();
  }

  /** FIPS 203's modulus check happens in there, before Encaps. */
  #answer(share: Uint8Array): KeyAnswer {
    try {
      return this.#host.crypto.answer(share);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw new SessionError('decode', 'RK_INIT share', { cause });
    }
  }

  /** RK_DONE. @param epoch the one its record was sealed in */
  takeDone(content: Uint8Array, epoch: number): void {
    const { crypto, layer } = this.#host;
    const next = layer.epochs.newestNumber;
    if (!this.#awaitsDone || epoch !== next) throw new SessionError('decode', 'RK_DONE out of turn');
    const confirmation = decodeStep(content, next, limits.hashBytes);
    if (!equal(confirmation, rekeyConfirm(crypto, layer.epochs.opening(next))))
      throw new SessionError('decrypt', 'RK_DONE confirmation');
    this.#awaitsDone = false;
    layer.promote();
    this.#host.onChange();
  }

  /** While RK_DONE is awaited it must be the first control record of the new epoch. */
  assertOrder(kind: number, epoch: number): void {
    if (this.#awaitsDone && epoch === this.#host.layer.epochs.newestNumber && kind !== recordKind.rkDone)
      throw new DecodeError('control record before RK_DONE');
  }
}
