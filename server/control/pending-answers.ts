/** Questions to a gateway that wait for their answer, by an id of their own. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../protocol/clock.ts';
import { ApiError, type ApiErrorCode } from './api-error.ts';

export interface PendingAnswersOptions {
  readonly clock: Clock;
  readonly limitMs: number;
  /** What an answer that does not come in time is called. */
  readonly late: ApiErrorCode;
}

export class PendingAnswers<Answer extends { readonly id: string }> {
  readonly #options: PendingAnswersOptions;
  readonly #waiting = new Map<string, PromiseWithResolvers<Answer>>();

  constructor(options: PendingAnswersOptions) {
    this.#options = options;
  }

  /** @param send false when there is no gateway. @throws ApiError `no_gateway`, or what `late` says */
  async ask(send: (id: string) => boolean): Promise<Answer> {
    const id = randomUUID();
    const waiting = Promise.withResolvers<Answer>();
    const { clock, limitMs, late } = this.#options;
    const cancel = clock.after(limitMs, () => waiting.reject(new ApiError(late)));
    this.#waiting.set(id, waiting);
    try {
      if (!send(id)) throw new ApiError('no_gateway');
      return await waiting.promise;
    } finally {
      cancel();
      this.#waiting.delete(id);
    }
  }

  /** What a gateway said; when nobody waits for it any more it is dropped. */
  answered(answer: Answer): void {
    this.#waiting.get(answer.id)?.resolve(answer);
  }

  /** The gateways are gone, and with them every answer. */
  abandon(): void {
    for (const { reject } of this.#waiting.values()) reject(new ApiError('no_gateway'));
  }
}
