/** `latchkey retention show|set`: how long audit events are kept; another time is approved by two (control/retention.ts). */
import type { Command } from 'commander';
import { durationS } from './duration.ts';
import { CommandFailure, optionsOf, print } from './output.ts';
import { admin } from './service.ts';

const dayS = 86_400;

export function addRetentionCommands(program: Command): void {
  const retention = program.command('retention').description('how long audit events are kept');
  retention
    .command('show')
    .description('the time in force')
    .option('--json', 'print JSON')
    .action(async (_own: unknown, command: Command) => {
      const answer = await admin(command, 'GET', '/admin/retention');
      print(
        optionsOf(command),
        answer,
        () => `Audit events are kept ${wordsOf(answer['days'])}.${faultOf(answer['fault'])}`,
      );
    });
  retention
    .command('set <time>')
    .description('ask for another: 90d, 365d or longer, or forever; two administrators approve it on the hub')
    .option('--json', 'print JSON')
    .action(async (time: string, _own: unknown, command: Command) => {
      const answer = await admin(command, 'POST', '/admin/retention', { days: daysOf(time) });
      const change = answer['change'] as { id: string } | undefined;
      print(optionsOf(command), answer, () =>
        change === undefined
          ? `Audit events are kept ${wordsOf(answer['days'])} already.`
          : `The change ${change.id} waits for two administrators, who approve it on the hub, under /changes.`,
      );
      if (change !== undefined) process.exitCode = 3;
    });
}

function daysOf(time: string): number | null {
  if (time === 'forever') return null;
  const seconds = durationS(time);
  if (seconds % dayS !== 0) throw new CommandFailure('duration_malformed', 'Say it in whole days: 90d.');
  return seconds / dayS;
}

const wordsOf = (days: unknown): string => (typeof days === 'number' ? `for ${days} days` : 'for ever');

const faultOf = (fault: unknown): string =>
  typeof fault === 'string' ? ` What stands in the store is not what two approved (${fault}).` : '';
