/** `latchkey user add|list` and `latchkey pins`: who may sign in, and the keys they should expect. */
import type { Command } from 'commander';
import { optionsOf, print, table } from './output.ts';
import { admin } from './service.ts';

export function addPeopleCommands(program: Command): void {
  const user = program.command('user').description('people');
  user
    .command('add <name>')
    .description('create a person and print their one-time enrolment link')
    .option('--group <name>', 'a group that policies name')
    .option('--json', 'print JSON')
    .action(async (name: string, own: { group?: string }, command: Command) => {
      const answer = await admin(command, 'POST', '/admin/enrolments', {
        name,
        ...(own.group && { group: own.group }),
      });
      print(optionsOf(command), answer, () => `Enrolment link for ${name}, once:\n  ${answer['url']}`);
    });
  user
    .command('list')
    .description('all people')
    .option('--json', 'print JSON')
    .action(async (_own: unknown, command: Command) => {
      const answer = await admin(command, 'GET', '/admin/users');
      const users = (answer['users'] ?? []) as Record<string, unknown>[];
      print(optionsOf(command), answer, () =>
        users.length === 0 ? 'Nobody is enrolled.' : table([['ID', 'NAME', 'GROUPS'], ...users.map(userRow)]),
      );
    });
  program
    .command('pins')
    .description('the fingerprint of the signing keys that browsers of this installation pin')
    .option('--json', 'print JSON')
    .action(async (_own: unknown, command: Command) => {
      const answer = await admin(command, 'GET', '/admin/status');
      print(optionsOf(command), { fingerprint: answer['fingerprint'] }, () => String(answer['fingerprint']));
    });
}

function userRow(user: Record<string, unknown>): string[] {
  return [user['id'], user['name'], user['groups']].map((value) => String(value ?? ''));
}
