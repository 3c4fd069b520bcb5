/** Asks a gateway to probe a service, which only a gateway reaches, and hands on what it found. */
import type { FromPeer, ToGateway } from '../channel/messages.ts';
import type { ProbeRefusal, ProbeReport } from '../channel/probe-report.ts';
import { ApiError, type ApiErrorCode } from './api-error.ts';
import type { Context } from './context.ts';
import { newEvent } from './identifiers.ts';
import { PendingAnswers } from './pending-answers.ts';

type Answer = Extract<FromPeer, { t: `probe.${string}` }>;

/** A gateway ends a probe by itself long before. */
const answerLimitMs = 40_000;

const refusals: Readonly<Record<ProbeRefusal, ApiErrorCode>> = {
  unknown_service: 'service_unknown',
  wrong_kind: 'probe_kind',
  busy: 'probe_busy',
  unreachable: 'probe_unreachable',
  timeout: 'probe_timeout',
  wrong_peer: 'probe_wrong_peer',
  upstream_failed: 'probe_failed',
  internal: 'internal',
};

export class ProbeDesk {
  readonly #context: Context;
  readonly #ask: (question: Extract<ToGateway, { t: 'probe' }>) => boolean;
  readonly #answers: PendingAnswers<Answer>;

  /** @param ask sends to a gateway; false when there is none. */
  constructor(context: Context, ask: (question: Extract<ToGateway, { t: 'probe' }>) => boolean) {
    this.#context = context;
    this.#ask = ask;
    this.#answers = new PendingAnswers({ clock: context.clock, limitMs: answerLimitMs, late: 'probe_timeout' });
  }

  /** @throws ApiError `service_unknown`, `no_gateway`, `probe_…` */
  async probe(service: string): Promise<ProbeReport> {
    await this.#assertKnown(service);
    const detail = { operation: 'service.probe' };
    await this.#context.audit.append([newEvent(this.#context, { type: 'admin', actor: 'system', service, detail })]);
    const answer = await this.#answers.ask((id) => this.#ask({ t: 'probe', id, service }));
    if (answer.t === 'probe.report') return answer.report;
    throw new ApiError(refusals[answer.code]);
  }

  /** What a gateway said; when nobody waits for it any more it is dropped. */
  answered(answer: Answer): void {
    this.#answers.answered(answer);
  }

  /** The gateways are gone, and with them every answer. */
  abandon(): void {
    this.#answers.abandon();
  }

  async #assertKnown(service: string): Promise<void> {
    const { store } = this.#context;
    const row = await store.selectFrom('services').select('name').where('name', '=', service).executeTakeFirst();
    if (row === undefined) throw new ApiError('service_unknown');
  }
}
