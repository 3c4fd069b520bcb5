/** Asks the gateways what is open at this moment and what they counted, which only they know. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../protocol/clock.ts';
import { maxSerials } from '../channel/limits.ts';
import type { FromPeer, LiveSessionReport, ToGateway } from '../channel/messages.ts';

type Question = Extract<ToGateway, { t: 'sessions' | 'metrics' }>;
type Answer = Extract<FromPeer, { t: `live.${string}` }>;
type Unnumbered<Q> = Q extends { id: string } ? Omit<Q, 'id'> : never;

/** A gateway on this machine answers at once; one that is stuck must not hold a page or a scrape. */
const answerLimitMs = 3_000;

export class LiveDesk {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #ask: (question: Question) => boolean;
  readonly #waiting = new Map<string, (answer: Answer | undefined) => void>();

  /** @param ask sends to the gateway that browsers are sent to; false when there is none. */
  constructor(clock: Pick<Clock, 'after'>, ask: (question: Question) => boolean) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** @param serials of the credentials that are asked about. @returns undefined when no gateway answers. */
  async sessions(serials: readonly string[]): Promise<readonly LiveSessionReport[] | undefined> {
    if (serials.length === 0) return [];
    const narrow = serials.length <= maxSerials && { serials: [...serials] };
    const answer = await this.#answer({ t: 'sessions', ...narrow });
    return answer?.t === 'live.sessions' ? answer.sessions : undefined;
  }

  /** Prometheus' text format. @returns undefined when no gateway answers. */
  async metrics(): Promise<string | undefined> {
    const answer = await this.#answer({ t: 'metrics' });
    return answer?.t === 'live.metrics' ? answer.text : undefined;
  }

  /** What a gateway said; when nobody waits for it any more it is dropped. */
  answered(answer: Answer): void {
    this.#waiting.get(answer.id)?.(answer);
  }

  /** The gateway is gone. */
  abandon(): void {
    for (const tell of this.#waiting.values()) tell(undefined);
  }

  async #answer(question: Unnumbered<Question>): Promise<Answer | undefined> {
    const id = randomUUID();
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
    this.#waiting.set(id, resolve);
    const cancel = this.#clock.after(answerLimitMs, () => resolve(undefined));
    try {
      return this.#ask({ ...question, id }) ? await promise : undefined;
    } finally {
      cancel();
      this.#waiting.delete(id);
    }
  }
}
