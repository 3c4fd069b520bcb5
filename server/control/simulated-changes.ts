/** What a simulation found, counted and put together: the same person, service and request with the same outcomes is one line. */
import type { AuditEvent } from '../channel/audit-event.ts';
import type { SnapshotContent } from '../channel/snapshot-content.ts';
import type { PolicyDecision, Question } from '../policy/question.ts';
import type { Action } from '../policy/schema.ts';

export interface SimulatedOutcome {
  /** `stepUp`: not without a fresh touch of the passkey. */
  readonly decision: 'allow' | 'deny' | 'stepUp';
  readonly policies: string[];
}

export interface SimulatedChange {
  /** SPIFFE id, and what people call them; of a guest, which use of which link. */
  readonly actor: string;
  readonly name: string;
  readonly service: string;
  readonly action: Action;
  readonly method?: string;
  readonly path?: string;
  readonly before: SimulatedOutcome;
  readonly after: SimulatedOutcome;
  readonly count: number;
  /** ms since 1970 */
  readonly first: number;
  readonly last: number;
  /** Positions in the audit chain, the newest first. */
  readonly events: number[];
}

/** Kinds of changes that are told apart in an answer, and events named for each. */
const limits = { changes: 500, events: 5 };

export class SimulatedChanges {
  readonly #names: ReadonlyMap<string, string>;
  readonly #changes = new Map<string, SimulatedChange>();
  #replayed = 0;
  #changed = 0;
  #decidedByOthers = 0;
  #driftedSince = 0;
  #truncated = false;

  constructor({ entities }: Pick<SnapshotContent, 'entities'>) {
    const people = entities.filter(({ uid }) => uid.type === 'User');
    this.#names = new Map(people.map(({ uid, attrs }) => [uid.id, String(attrs['name'])]));
  }

  /** Events come the newest first. */
  add(seq: number, event: AuditEvent, question: Question, before: PolicyDecision, after: PolicyDecision): void {
    this.#replayed += 1;
    const [was, is] = [outcome(question, before), outcome(question, after)];
    if (event.decision !== before.decision) this.#driftedSince += 1;
    if (was.decision === is.decision) {
      if (was.policies.join(' ') !== is.policies.join(' ')) this.#decidedByOthers += 1;
      return;
    }
    this.#changed += 1;
    this.#keep(seq, event, question, was, is);
  }

  counts() {
    return {
      replayed: this.#replayed,
      changed: this.#changed,
      decidedByOthers: this.#decidedByOthers,
      driftedSince: this.#driftedSince,
    };
  }

  listed(): { readonly changes: SimulatedChange[]; readonly truncated: boolean } {
    return {
      changes: [...this.#changes.values()].sort((a, b) => b.count - a.count || b.last - a.last),
      truncated: this.#truncated,
    };
  }

  #keep(seq: number, event: AuditEvent, question: Question, before: SimulatedOutcome, after: SimulatedOutcome): void {
    const { service, action, context = {} } = question;
    const about = { actor: event.actor, service, action, ...requestOf(context), before, after };
    const key = JSON.stringify(about);
    const known = this.#changes.get(key);
    if (known === undefined && this.#changes.size >= limits.changes) {
      this.#truncated = true;
      return;
    }
    const events = [...(known?.events ?? []), seq].slice(0, limits.events);
    const span = { count: (known?.count ?? 0) + 1, first: event.time, last: known?.last ?? event.time };
    this.#changes.set(key, { ...about, name: this.#nameOf(question), ...span, events });
  }

  #nameOf({ principal: { user, link } }: Question): string {
    if (link !== undefined) return `Guest ${link.use} of link ${link.id}`;
    return this.#names.get(user) ?? user;
  }
}

function requestOf({ method, path }: NonNullable<Question['context']>) {
  return { ...(method !== undefined && { method }), ...(path !== undefined && { path }) };
}

/** A launch is allowed where a touch is still to come; anything else waits for it. */
function outcome({ action }: Question, { decision, policies, lacks }: PolicyDecision): SimulatedOutcome {
  const waits = lacks === 'stepUp' && action !== 'launch';
  return { decision: waits ? 'stepUp' : decision, policies: [...policies] };
}
