/**
 * Audit events of the gateway: each attempt, its decision and the policies that made it, on disk before what was
 * allowed happens. Says who and what by name and code; never a token, a cookie, a query or a body.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../protocol/clock.ts';
import type { AuditEvent } from '../channel/audit-event.ts';
import { Counts } from '../counts.ts';
import type { Spool } from './state/spool.ts';

export type EventContent = Omit<AuditEvent, 'id' | 'time'>;

export class Audit {
  readonly #spool: Spool;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #onLost: (error: unknown) => void;
  /** Decisions since the start. */
  readonly decisions = new Counts<'event' | 'decision' | 'reason'>();

  /** @param onLost told when an event nobody waits for could not be written. */
  constructor(spool: Spool, clock: Pick<Clock, 'now'>, onLost: (error: unknown) => void) {
    this.#spool = spool;
    this.#clock = clock;
    this.#onLost = onLost;
  }

  /** Resolves when the event is on disk; rejects when it cannot be, and then nothing may be allowed. */
  record(content: EventContent): Promise<void> {
    return this.#spool.append(this.#event(content));
  }

  /** For what has happened already: kept in order with the others, waited for by nobody. */
  note(content: EventContent): void {
    this.#spool.append(this.#event(content), 'soon').catch(this.#onLost);
  }

  #event(content: EventContent): AuditEvent {
    const { type, decision, reason = '' } = content;
    if (decision !== undefined) this.decisions.add({ event: type, decision, reason });
    return { id: randomUUID(), time: this.#clock.now(), ...content };
  }
}
