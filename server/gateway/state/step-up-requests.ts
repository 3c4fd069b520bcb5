/** What a gateway asks the control plane about step-ups: one question, one answer, nothing kept beyond it. */
import { randomUUID } from 'node:crypto';
import { base64url, unbase64url } from '../../../protocol/bytes.ts';
import type { StepupAssertion } from '../../../protocol/stepup.ts';
import { type FromPeer, stepupAssertionSchema, type ToGateway } from '../../channel/messages.ts';

type Question = Extract<FromPeer, { t: `stepup.${string}` }>;
type Answer = Extract<ToGateway, { t: `stepup.${string}` }>;

/** No step-up came about. The code is the control plane's, `control_away` or `malformed`; it is for log and audit. */
export class StepUpRefused extends Error {
  readonly code: string;
  constructor(code: string) {
    super(`step-up: ${code}`);
    this.name = 'StepUpRefused';
    this.code = code;
  }
}

export class StepUpRequests {
  readonly #send: (question: Question) => boolean;
  readonly #waiting = new Map<string, PromiseWithResolvers<Answer>>();

  /** @param send false when there is no connection to the control plane. */
  constructor(send: (question: Question) => boolean) {
    this.#send = send;
  }

  /** A nonce for the session that holds this credential. @throws StepUpRefused */
  async begin(serial: Uint8Array): Promise<{ ceremony: string; nonce: Uint8Array }> {
    const answer = await this.#ask({ t: 'stepup.begin', id: randomUUID(), serial: base64url(serial) });
    if (answer.t !== 'stepup.begun') throw new StepUpRefused('internal');
    return { ceremony: answer.ceremony, nonce: unbase64url(answer.nonce) };
  }

  /** Resolves when the control plane believes the assertion. @throws StepUpRefused */
  async finish(of: {
    readonly serial: Uint8Array;
    readonly ceremony: string;
    readonly exporter: Uint8Array;
    readonly assertion: StepupAssertion;
  }): Promise<void> {
    const answer = await this.#ask({
      t: 'stepup.finish',
      id: randomUUID(),
      serial: base64url(of.serial),
      ceremony: of.ceremony,
      exporter: base64url(of.exporter),
      assertion: forChannel(of.assertion),
    });
    if (answer.t !== 'stepup.done') throw new StepUpRefused('internal');
  }

  /** An answer of the control plane; one that nobody waits for any more is dropped. */
  answered(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    if (answer.t === 'stepup.refused') waiting?.reject(new StepUpRefused(answer.code));
    else waiting?.resolve(answer);
  }

  /** The connection is gone, and with it every answer. */
  abandon(): void {
    for (const { reject } of this.#waiting.values()) reject(new StepUpRefused('control_away'));
  }

  async #ask(question: Question): Promise<Answer> {
    const waiting = Promise.withResolvers<Answer>();
    this.#waiting.set(question.id, waiting);
    try {
      if (!this.#send(question)) throw new StepUpRefused('control_away');
      return await waiting.promise;
    } finally {
      this.#waiting.delete(question.id);
    }
  }
}

/** The channel ends with a message that its schema does not take, and it is everybody's: so a person's words are tried here. */
function forChannel(assertion: StepupAssertion): Extract<Question, { t: 'stepup.finish' }>['assertion'] {
  const { success, data } = stepupAssertionSchema.safeParse({
    credentialId: base64url(assertion.credentialId),
    authenticatorData: base64url(assertion.authenticatorData),
    clientDataJson: base64url(assertion.clientDataJson),
    signature: base64url(assertion.signature),
    userHandle: base64url(assertion.userHandle),
  });
  if (!success) throw new StepUpRefused('malformed');
  return data;
}
