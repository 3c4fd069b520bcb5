/** `latchkey service probe`: what a service uses, as text. */
import type { Finding, ProbeReport } from '../channel/probe-report.ts';

/** One finding a paragraph: what, what becomes of it, and where it was seen. */
export function probeText({ service, visited, findings, settings, stopped }: ProbeReport): string {
  const bytes = visited.reduce((sum, visit) => sum + visit.bytes, 0);
  const start = visited[0];
  return [
    `${service}: ${visited.length} answers, ${Math.ceil(bytes / 1_024)} KiB read; the first page was answered ${start?.status ?? 0}.`,
    ...(stopped === undefined ? [] : [`It was cut short by its limit of ${stopped}: there may be more.`]),
    ...findings.flatMap(paragraph),
    '',
    settings.host === undefined
      ? 'It needs no setting.'
      : `It needs: latchkey service set ${service} --host ${settings.host}`,
  ].join('\n');
}

function paragraph({ trait, effect, evidence }: Finding): string[] {
  return ['', `${trait}: ${effect}`, ...evidence.map(({ where, what }) => `    ${where}: ${what}`)];
}
