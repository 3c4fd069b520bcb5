/**
 * Step-up: a touch of the passkey, asked for and answered inside the session (docs/protocol.md, "Step-up"; after
 * RFC 9266). What the passkey signs contains the exporter of the epoch whose key sealed the question, so that whoever
 * stands between two sessions has an answer that fits neither. The exporter is taken when the question is sealed and
 * when it is opened: a person takes longer than a rekey.
 *
 *     G  STEPUP         nonce 32
 *     C  STEPUP_ASSERT  nonce 32 | five times u16 len, bytes: credential id, authenticator data, client data JSON,
 *                       signature, user handle, which alone may be empty  the nonce alone: the person declined
 *
 * Each question is answered once at most. Judging the assertion is the control plane's.
 */
import { assertLength, copy, DecodeError, equal, Reader, Writer, wipe } from './bytes.ts';
import type { Crypto } from './crypto.ts';
import * as limits from './limits.ts';
import { recordKind } from './record.ts';
import type { RecordLayer } from './record-layer.ts';
import { exporterValue } from './schedule.ts';
import { SessionError } from './session-error.ts';

/** What an authenticator answered, as WebAuthn has it (Level 3, section 5.2.2). */
export type StepupAssertion = {
  readonly credentialId: Uint8Array;
  readonly authenticatorData: Uint8Array;
  readonly clientDataJson: Uint8Array;
  readonly signature: Uint8Array;
  /** Empty where the authenticator told none. */
  readonly userHandle: Uint8Array;
};

/** What both ends know of a question. */
export type StepupQuestion = {
  readonly nonce: Uint8Array;
  /** `exporter("webauthn", nonce)` of the epoch it was asked in. */
  readonly exporter: Uint8Array;
};

/** Longest of each field; the session hands on what fits, the control plane judges it. */
const maxBytes = {
  credentialId: 1_023,
  authenticatorData: 2_048,
  clientDataJson: 2_048,
  signature: 4_096,
  userHandle: 64,
};
const fields = Object.keys(maxBytes) as (keyof StepupAssertion)[];

export function encodeStepupAssertion(
  nonce: Uint8Array,
  assertion: StepupAssertion | undefined,
): Uint8Array<ArrayBuffer> {
  assertLength('nonce', nonce, limits.hashBytes);
  const writer = new Writer().bytes(nonce);
  if (assertion === undefined) return writer.done();
  for (const field of fields) {
    if (assertion[field].length > maxBytes[field]) throw new TypeError(`${field} is too long`);
    writer.vec16(assertion[field]);
  }
  return writer.done();
}

/** @throws DecodeError */
export function decodeStepupAssertion(content: Uint8Array): {
  nonce: Uint8Array;
  assertion: StepupAssertion | undefined;
} {
  const reader = new Reader(content);
  const nonce = copy(reader.bytes(limits.hashBytes));
  if (content.length === limits.hashBytes) return { nonce, assertion: undefined };
  const next = (field: keyof StepupAssertion): Uint8Array => {
    const bytes = copy(reader.vec16());
    const isMissing = bytes.length === 0 && field !== 'userHandle';
    if (isMissing || bytes.length > maxBytes[field]) throw new DecodeError(field);
    return bytes;
  };
  const [credentialId, authenticatorData, clientDataJson] = [
    next('credentialId'),
    next('authenticatorData'),
    next('clientDataJson'),
  ];
  const assertion = {
    credentialId,
    authenticatorData,
    clientDataJson,
    signature: next('signature'),
    userHandle: next('userHandle'),
  };
  reader.end();
  return { nonce, assertion };
}

type StepupHost = {
  readonly crypto: Pick<Crypto, 'sha256' | 'expand'>;
  readonly layer: RecordLayer;
  /** Seals on the control stream, at once. */
  readonly send: (kind: number, content: Uint8Array) => void;
};

// ── gateway ──

/** Questions that may still be answered; a person who leaves several alone has stopped answering. */
const maxOpenQuestions = 4;

export class GatewayStepup {
  readonly #host: StepupHost;
  readonly #onAnswer: (question: StepupQuestion, assertion: StepupAssertion | undefined) => void;
  #open: StepupQuestion[] = [];

  constructor(host: StepupHost, onAnswer: (question: StepupQuestion, assertion: StepupAssertion | undefined) => void) {
    this.#host = host;
    this.#onAnswer = onAnswer;
  }

  /** @param nonce 32 bytes, never used before */
  ask(nonce: Uint8Array): void {
    assertLength('nonce', nonce, limits.hashBytes);
    const { crypto, layer, send } = this.#host;
    const exporter = exporterValue(crypto, layer.epochs.sending, 'webauthn', nonce);
    this.#open = [...this.#open, { nonce, exporter }].slice(-maxOpenQuestions);
    send(recordKind.stepup, nonce);
  }

  /** STEPUP_ASSERT */
  take(content: Uint8Array): void {
    const { nonce, assertion } = decodeStepupAssertion(content);
    const question = this.#open.find((one) => equal(one.nonce, nonce));
    if (question === undefined) throw new SessionError('decode', 'STEPUP_ASSERT nobody asked for');
    this.#open = this.#open.filter((one) => one !== question);
    this.#onAnswer(question, assertion);
  }

  wipe(): void {
    for (const { exporter } of this.#open) wipe(exporter);
    this.#open = [];
  }
}

// ── client ──

export class ClientStepup {
  readonly #host: StepupHost;
  readonly #onQuestion: ((question: StepupQuestion) => void) | undefined;
  /** The last one: a gateway that asks again has given up on the one before. */
  #open: StepupQuestion | undefined;

  /** @param onQuestion without it every question is declined: there is no person to ask. */
  constructor(host: StepupHost, onQuestion: ((question: StepupQuestion) => void) | undefined) {
    this.#host = host;
    this.#onQuestion = onQuestion;
  }

  /** STEPUP. @param epoch the one its record was sealed in */
  takeQuestion(content: Uint8Array, epoch: number): void {
    if (content.length !== limits.hashBytes) throw new DecodeError('STEPUP');
    const { crypto, layer } = this.#host;
    this.wipe();
    const exporter = exporterValue(crypto, layer.epochs.opening(epoch), 'webauthn', content);
    this.#open = { nonce: content, exporter };
    if (this.#onQuestion === undefined) this.answer(content, undefined);
    else this.#onQuestion({ nonce: copy(content), exporter: copy(exporter) });
  }

  /** @returns false when this question is no longer open; then nothing is sent. */
  answer(nonce: Uint8Array, assertion: StepupAssertion | undefined): boolean {
    if (this.#open === undefined || !equal(this.#open.nonce, nonce)) return false;
    const content = encodeStepupAssertion(nonce, assertion);
    this.wipe();
    this.#host.send(recordKind.stepupAssert, content);
    return true;
  }

  wipe(): void {
    wipe(this.#open?.exporter);
    this.#open = undefined;
  }
}
