/** `latchkey user add|invite|revoke|list` and `latchkey pins`: who may sign in, and the keys they should expect. */
import type { Command } from 'commander';
import { readTrust } from '../audit/trust.ts';
import { controlPaths } from '../store/paths.ts';
import { configOf, fingerprintText, optionsOf, print, table } from './output.ts';
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
    .command('invite <id>')
    .description('a one-time enrolment link for another device of a person')
    .option('--approve', 'the device signs in only after `device approve`')
    .option('--json', 'print JSON')
    .action(async (id: string, own: { approve?: boolean }, command: Command) => {
      const wanted = { user: id, approval: own.approve === true };
      const answer = await admin(command, 'POST', '/admin/enrolments', wanted);
      print(optionsOf(command), answer, () => `Enrolment link, once:\n  ${answer['url']}`);
    });
  user
    .command('recover <id>')
    .description('a one-time link, good for an hour, for a person who lost all their devices; using it takes those out')
    .option('--json', 'print JSON')
    .action(async (id: string, _own: unknown, command: Command) => {
      const answer = await admin(command, 'POST', '/admin/enrolments', { user: id, recovery: true });
      print(optionsOf(command), answer, () => `Recovery link, once, for an hour:\n  ${answer['url']}`);
    });
  user
    .command('revoke <id>')
    .description('take a person out; every session of theirs ends at once')
    .option('--reason <text>', 'why, for whoever asks later')
    .option('--json', 'print JSON')
    .action(async (id: string, own: { reason?: string }, command: Command) => {
      const why = own.reason === undefined ? '' : `?reason=${encodeURIComponent(own.reason)}`;
      const answer = await admin(command, 'DELETE', `/admin/users/${encodeURIComponent(id)}${why}`);
      print(optionsOf(command), answer, () => `${id} is out.`);
    });
  user
    .command('list')
    .description('all people')
    .option('--json', 'print JSON')
    .action(async (_own: unknown, command: Command) => {
      const answer = await admin(command, 'GET', '/admin/users');
      const users = (answer['users'] ?? []) as Record<string, unknown>[];
      print(optionsOf(command), answer, () =>
        users.length === 0
          ? 'Nobody is enrolled.'
          : table([['ID', 'NAME', 'GROUPS', 'ROLES', 'STATE'], ...users.map(userRow)]),
      );
    });
  addRoles(user);
  program
    .command('pins')
    .description('the fingerprint of the signing keys that browsers of this installation pin')
    .option('--json', 'print JSON')
    .action(async (_own: unknown, command: Command) => {
      // From the files and verified here: it is to be compared with what a control plane says.
      const { fingerprint } = await readTrust(controlPaths(configOf(optionsOf(command)).data));
      print(optionsOf(command), { fingerprint }, () =>
        fingerprintText(Buffer.from(fingerprint, 'base64url').toString('hex')),
      );
    });
}

/** Duties in the administration are given here alone, by whoever may open the data folder. */
function addRoles(user: Command): void {
  for (const [verb, held, done] of [
    ['grant', true, 'has the role'],
    ['withdraw', false, 'no longer has the role'],
  ] as const) {
    user
      .command(`${verb} <id> <role>`)
      .description(`a person ${done}: manager, pki, notary or policy`)
      .option('--json', 'print JSON')
      .action(async (id: string, role: string, _own: unknown, command: Command) => {
        const answer = await admin(command, 'POST', '/admin/roles', { user: id, role, held });
        print(optionsOf(command), answer, () => `${id} ${done} ${role}.`);
      });
  }
}

function userRow(user: Record<string, unknown>): string[] {
  return [user['id'], user['name'], user['groups'], user['roles'], stateOf(user)].map((value) => String(value ?? ''));
}

function stateOf({ disabled, disabledAt, reason, enrolled }: Record<string, unknown>): string {
  if (disabled !== true) return enrolled === true ? 'in' : 'invited';
  const why = reason === undefined ? '' : `: ${reason}`;
  return `out since ${new Date(Number(disabledAt)).toISOString()}${why}`;
}
