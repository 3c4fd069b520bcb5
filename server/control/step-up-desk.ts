/** Answers the questions of gateways about step-ups: one message for each, whatever comes of it. */
import { base64url, unbase64url } from '../../protocol/bytes.ts';
import type { FromPeer, ToGateway } from '../channel/messages.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { RateLimit } from './http/rate-limit.ts';
import { beginStepUp, finishStepUp } from './step-up.ts';

type Question = Extract<FromPeer, { t: `stepup.${string}` }>;
type Answer = Extract<ToGateway, { t: `stepup.${string}` }>;

/** A person is asked about once in five minutes and service; more is a page that asks again whenever they decline. */
const askRate = { burst: 20, perSecond: 0.2 };

export class StepUpDesk {
  readonly #context: Context;
  readonly #rate: RateLimit;

  constructor(context: Context) {
    this.#context = context;
    this.#rate = new RateLimit(askRate, context.clock);
  }

  /** Rejects only by a fault of ours. */
  async answer(question: Question): Promise<Answer> {
    const { id } = question;
    try {
      if (question.t === 'stepup.begin') {
        const begun = await beginStepUp(this.#context, unbase64url(question.serial), ({ user }) =>
          this.#rate.require(user),
        );
        return { t: 'stepup.begun', id, ceremony: begun.ceremony, nonce: base64url(begun.nonce) };
      }
      await finishStepUp(this.#context, proofOf(question));
      return { t: 'stepup.done', id };
    } catch (error) {
      if (error instanceof ApiError) return { t: 'stepup.refused', id, code: error.code };
      throw error;
    }
  }
}

function proofOf({ serial, ceremony, exporter, assertion }: Extract<Question, { t: 'stepup.finish' }>) {
  const { credentialId, authenticatorData, clientDataJson, signature, userHandle } = assertion;
  return {
    ceremony,
    serial: unbase64url(serial),
    exporter: unbase64url(exporter),
    credential: {
      id: credentialId,
      rawId: credentialId,
      type: 'public-key' as const,
      clientExtensionResults: {},
      response: {
        authenticatorData,
        clientDataJSON: clientDataJson,
        signature,
        ...(userHandle !== '' && { userHandle }),
      },
    },
  };
}
