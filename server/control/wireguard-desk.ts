/** What only a gateway knows or can do about WireGuard: how its peers fare, and a new key of its own. */
import type { FromPeer, PlanePeer, RetiringKey, ToGateway } from '../channel/messages.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { newEvent } from './identifiers.ts';
import { PendingAnswers } from './pending-answers.ts';

type Question = Extract<ToGateway, { t: `wireguard.${string}` }>;
type Answer = Extract<FromPeer, { t: `wireguard.${string}` }>;

/** The system's tools may be slow; the embedded driver answers at once. */
const answerLimitMs = 15_000;

/** A rotation, done or only looked at. */
export interface KeyRotation {
  readonly from: string;
  /** Absent where nothing was done. */
  readonly to?: string;
  /** The file in the gateway's folder that keeps what was before. */
  readonly backup: string;
  /** Until when the key of before is served, ms since 1970; absent where it ends at once. */
  readonly oldUntil?: number;
}

/** How the gateway's peers fare, and the key of before that some of them may still use. */
export interface PlaneReport {
  readonly peers: readonly PlanePeer[];
  readonly retiring?: RetiringKey;
}

export class WireGuardDesk {
  readonly #context: Context;
  readonly #send: (question: Question) => boolean;
  readonly #answers: PendingAnswers<Answer>;

  /** @param send to a gateway; false when there is none. */
  constructor(context: Context, send: (question: Question) => boolean) {
    this.#context = context;
    this.#send = send;
    this.#answers = new PendingAnswers({ clock: context.clock, limitMs: answerLimitMs, late: 'gateway_silent' });
  }

  /** @returns undefined without a gateway. @throws ApiError `gateway_silent` */
  async report(): Promise<PlaneReport | undefined> {
    try {
      const answer = await this.#answers.ask((id) => this.#send({ t: 'wireguard.show', id }));
      if (answer.t !== 'wireguard.shown') return undefined;
      const { peers, retiring } = answer;
      return { peers, ...(retiring !== undefined && { retiring }) };
    } catch (error) {
      if (error instanceof ApiError && error.code === 'no_gateway') return undefined;
      throw error;
    }
  }

  /** @throws ApiError `no_gateway`, `gateway_silent`, `rotation_unfinished`, `rotation_failed` */
  async rotate(how: { readonly dryRun: boolean; readonly overlap: boolean }): Promise<KeyRotation> {
    const answer = await this.#answers.ask((id) => this.#send({ t: 'wireguard.rotate', id, ...how }));
    if (answer.t === 'wireguard.refused' && answer.waiting !== undefined) throw await this.#unfinished(answer.waiting);
    if (answer.t !== 'wireguard.rotated') throw new ApiError('rotation_failed');
    const { from, to, backup, oldUntil } = answer;
    const planned = { from, backup, ...(oldUntil !== undefined && { oldUntil }) };
    if (to === undefined) return planned;
    const until = oldUntil === undefined ? {} : { oldUntil: new Date(oldUntil).toISOString() };
    const detail = { operation: 'gateway.rotate-key', from, to, ...until };
    await this.#context.audit.append([newEvent(this.#context, { type: 'peer.change', actor: 'system', detail })]);
    return { ...planned, to };
  }

  /** @param waiting public keys of the peers that still use the key of before */
  async #unfinished(waiting: readonly string[]): Promise<ApiError> {
    const rows = await this.#context.store.selectFrom('peers').select(['public_key', 'name']).orderBy('name').execute();
    const names = rows.filter(({ public_key }) => waiting.includes(public_key)).map(({ name }) => name);
    const who = names.length === 0 ? '' : ` to ${names.join(', ')}`;
    const message = `The key before the last rotation is still served${who}. Wait until they have moved, or end it at once by --no-overlap.`;
    return new ApiError('rotation_unfinished', { message });
  }

  answered(answer: Answer): void {
    this.#answers.answered(answer);
  }

  abandon(): void {
    this.#answers.abandon();
  }
}
