/**
 * What a draft of policies would have changed: recorded decisions, newest first, are asked again of the policies in force
 * and of the draft, with the circumstances that were recorded and the people, groups and services of now. Both are asked,
 * so that what differs is the draft's doing alone. Changes nothing and decides nothing for anybody.
 */
import { type AuditEvent, auditEventSchema } from '../channel/audit-event.ts';
import type { SnapshotContent } from '../channel/snapshot-content.ts';
import { PolicyEngine } from '../policy/engine.ts';
import { kindsOf } from '../policy/kinds.ts';
import { decideLaunchBy } from '../policy/launch.ts';
import type { PolicyDecision, Question } from '../policy/question.ts';
import { decisionTypes, recordedQuestion } from '../policy/recorded.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { linkRecords } from './links.ts';
import { type SimulatedChange, SimulatedChanges } from './simulated-changes.ts';

export interface SimulationOptions {
  /** Decisions since then, ms since 1970. */
  readonly since: number;
  /** Decisions at most. */
  readonly limit: number;
}

export interface Simulation {
  /** Decisions that were asked again. */
  readonly replayed: number;
  /** Of those, how many the draft decides otherwise: allow, deny, or only after a touch of the passkey. */
  readonly changed: number;
  /** Decided alike, by other policies. */
  readonly decidedByOthers: number;
  /** What the policies in force decide otherwise than was recorded: they, groups or services have changed since. */
  readonly driftedSince: number;
  /** Decisions that could not be asked again, by reason. */
  readonly skipped: Readonly<Record<SkipReason, number>>;
  /** Time of the oldest and newest that was asked again, ms; null without any. */
  readonly from: number | null;
  readonly to: number | null;
  /** Whether everything since then was looked at, or the limit ended it. */
  readonly complete: boolean;
  /** Alike ones together, those that concern most first. */
  readonly changes: readonly SimulatedChange[];
  /** There were more kinds of changes than are listed; the counts are of all. */
  readonly truncated: boolean;
}

/**
 * `not_recorded`: an event that does not hold what was asked. `not_by_policy`: a refusal for another reason.
 * `principal_gone`, `service_gone`: who or what is no longer there.
 */
export type SkipReason = 'not_recorded' | 'not_by_policy' | 'principal_gone' | 'service_gone';

const pageEvents = 200;
/** Decisions of two engines take about half a millisecond; then others have their turn. */
const atOnce = 20;

/** One at a time: the draft is held under one name, and others wait for the process. */
let underWay = false;

/** @throws ApiError `simulation_busy`; PolicyError where the draft does not parse */
export async function simulate(
  context: Context,
  inForce: SnapshotContent,
  draft: Readonly<Record<string, string>>,
  options: SimulationOptions,
): Promise<Simulation> {
  if (underWay) throw new ApiError('simulation_busy');
  underWay = true;
  try {
    return await replay(context, inForce, draft, options);
  } finally {
    underWay = false;
  }
}

async function replay(
  context: Context,
  inForce: SnapshotContent,
  draft: Readonly<Record<string, string>>,
  { since, limit }: SimulationOptions,
): Promise<Simulation> {
  // Links that are over decided while they were live.
  const content = { ...inForce, links: await linkRecords(context) };
  const before = new PolicyEngine(content, 'in-force');
  const after = new PolicyEngine({ ...content, policies: draft }, 'draft');
  const changes = new SimulatedChanges(content);
  const skipped: Record<SkipReason, number> = { not_recorded: 0, not_by_policy: 0, principal_gone: 0, service_gone: 0 };
  const span: { from: number | null; to: number | null } = { from: null, to: null };
  let looked = 0;
  for await (const { seq, event } of decisionsBackwards(context, since)) {
    if (looked === limit) return result(false);
    looked += 1;
    if (looked % atOnce === 0) await new Promise((resolve) => setImmediate(resolve));
    const question = isByPolicy(event) ? recordedQuestion(event) : undefined;
    const skip = skipReason(event, question, before, content);
    if (question === undefined || skip !== undefined) {
      skipped[skip ?? 'not_recorded'] += 1;
      continue;
    }
    span.from = event.time;
    span.to ??= event.time;
    changes.add(seq, event, question, decide(before, content, question), decide(after, content, question));
  }
  return result(true);

  function result(complete: boolean): Simulation {
    return { ...changes.counts(), skipped, ...span, complete, ...changes.listed() };
  }
}

/** Reasons of refusals that are not policy's own. */
const ownReasons = new Set<string | undefined>([undefined, 'policy', 'denied', 'stepup_required', 'stepup_pending']);

function isByPolicy({ reason, policies }: AuditEvent): boolean {
  return policies !== undefined && ownReasons.has(reason);
}

function skipReason(
  event: AuditEvent,
  question: Question | undefined,
  engine: PolicyEngine,
  content: SnapshotContent,
): SkipReason | undefined {
  if (!isByPolicy(event)) return 'not_by_policy';
  if (question === undefined) return 'not_recorded';
  if (engine.call(question) !== undefined) return undefined;
  return content.services.some(({ name }) => name === question.service) ? 'principal_gone' : 'service_gone';
}

/** As the place that decided it would: a launch forgives the touch that each open will ask for. */
function decide(engine: PolicyEngine, content: SnapshotContent, question: Question): PolicyDecision {
  if (question.action !== 'launch') return engine.decide(question);
  const scheme = content.services.find(({ name }) => name === question.service)?.scheme;
  const kinds = scheme === undefined ? [] : kindsOf(scheme);
  const { decision, policies, reason } = decideLaunchBy(engine, question.principal, question.service, kinds);
  return { decision, policies, ...(reason !== undefined && { lacks: 'stepUp' }) };
}

async function* decisionsBackwards(
  context: Context,
  since: number,
): AsyncIterable<{ readonly seq: number; readonly event: AuditEvent }> {
  const isDecision = new Set<string>(decisionTypes);
  let before = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const rows = await context.store
      .selectFrom('audit')
      .select(['seq', 'event'])
      .where('seq', '<', before)
      .orderBy('seq', 'desc')
      .limit(pageEvents)
      .execute();
    for (const { seq, event } of rows) {
      const parsed = auditEventSchema.parse(JSON.parse(event));
      // Events come in the order of the chain; those of a gateway that was alone for a while come late, none by days.
      if (parsed.time < since) return;
      if (isDecision.has(parsed.type)) yield { seq, event: parsed };
    }
    const last = rows.at(-1);
    if (last === undefined) return;
    before = last.seq;
  }
}
