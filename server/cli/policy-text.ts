/** What `latchkey policy explain` and `simulate` say to people. */
import { table } from './output.ts';

export interface Explanation {
  readonly decision: string;
  readonly policies: readonly string[];
  readonly lacks?: string;
  readonly considered: readonly {
    readonly id: string;
    readonly effect: string;
    readonly outcome: string;
    readonly error?: string;
  }[];
}

export function explanationText({ decision, policies, lacks, considered }: Explanation): string {
  const touch = lacks === undefined ? '' : ' A fresh touch of the passkey is all that is missing.';
  const rows = considered.map(({ id, effect, outcome, error }) => [id, effect, outcome, error ?? '']);
  const verdict = `${decision === 'allow' ? 'Allowed' : 'Denied'} by ${policies.join(', ')}.${touch}`;
  return rows.length === 0 ? verdict : `${verdict}\n${table([['POLICY', 'EFFECT', 'HERE', ''], ...rows])}`;
}

interface Outcome {
  readonly decision: string;
  readonly policies: readonly string[];
}

export interface Simulation {
  readonly replayed: number;
  readonly changed: number;
  readonly decidedByOthers: number;
  readonly driftedSince: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly complete: boolean;
  readonly truncated: boolean;
  readonly changes: readonly {
    readonly name: string;
    readonly service: string;
    readonly action: string;
    readonly method?: string;
    readonly path?: string;
    readonly before: Outcome;
    readonly after: Outcome;
    readonly count: number;
  }[];
}

export function simulationText(found: Simulation): string {
  const rows = found.changes.map(({ name, service, action, method = '', path = '', before, after, count }) => [
    ...[String(count), name, service, [action, method, path].join(' ').trim()],
    ...[said(before), said(after)],
  ]);
  const skipped = Object.entries(found.skipped).filter(([, count]) => count > 0);
  return [
    `${found.replayed} recorded decisions asked again, ${found.changed} would change.`,
    ...(rows.length > 0 ? [table([['COUNT', 'WHO', 'SERVICE', 'WHAT', 'IN FORCE', 'DRAFT'], ...rows])] : []),
    ...(found.truncated ? ['There are more kinds of changes than are listed.'] : []),
    ...(found.decidedByOthers > 0 ? [`${found.decidedByOthers} would be decided alike, by other policies.`] : []),
    ...(found.driftedSince > 0 ? [`${found.driftedSince} are decided otherwise today than they were then.`] : []),
    ...skipped.map(([reason, count]) => `${count} could not be asked again: ${reason.replaceAll('_', ' ')}.`),
    ...(found.complete ? [] : ['Older decisions were not looked at: see --limit.']),
  ].join('\n');
}

function said({ decision, policies }: Outcome): string {
  return `${decision} (${policies.join(', ')})`;
}
