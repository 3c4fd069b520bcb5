/** `latchkey change list|refuse`: changes that wait for two administrators, who approve them on the hub. */
import type { Command } from 'commander';
import { optionsOf, print, table } from './output.ts';
import { admin } from './service.ts';

interface Change {
  readonly id: string;
  readonly kind: string;
  readonly dangers: readonly { readonly message: string }[];
  readonly needed: number;
  readonly expires: number;
  readonly approvals: readonly { readonly name: string }[];
}

export function addChangeCommands(program: Command): void {
  const change = program.command('change').description('changes that wait for two administrators');
  change
    .command('list')
    .description('what waits, why, and who has approved it; administrators approve on the hub, under /changes')
    .option('--json', 'print JSON')
    .action(async (_own: unknown, command: Command) => {
      const answer = await admin(command, 'GET', '/admin/changes');
      const changes = (answer['changes'] ?? []) as Change[];
      print(optionsOf(command), answer, () =>
        changes.length === 0
          ? 'Nothing waits.'
          : table([['ID', 'KIND', 'APPROVED', 'EXPIRES', 'WHY'], ...changes.map(changeRow)]),
      );
    });
  change
    .command('refuse <id>')
    .description('it will not happen')
    .option('--json', 'print JSON')
    .action(async (id: string, _own: unknown, command: Command) => {
      const answer = await admin(command, 'DELETE', `/admin/changes/${encodeURIComponent(id)}`);
      print(optionsOf(command), answer, () => `The change ${id} will not happen.`);
    });
}

function changeRow({ id, kind, approvals, needed, expires, dangers }: Change): string[] {
  const names = approvals.map(({ name }) => name).join(', ');
  const approved = `${approvals.length} of ${needed}${names === '' ? '' : ` (${names})`}`;
  return [id, kind, approved, new Date(expires).toISOString(), dangers.map(({ message }) => message).join(' ')];
}
