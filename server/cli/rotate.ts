/** `latchkey rotate`: asks for a new root key, which two administrators approve on the hub (control/rotate.ts). */
import type { Command } from 'commander';
import { fingerprintText, optionsOf, print } from './output.ts';
import { admin } from './service.ts';

export function addRotateCommand(program: Command): void {
  program
    .command('rotate')
    .description('put the next root key in the place of the one in use; two administrators approve it on the hub')
    .option('--dry-run', 'say what would be done')
    .option('--json', 'print JSON')
    .action(async ({ dryRun = false }: { dryRun?: boolean }, command: Command) => {
      const answer = await admin(command, 'POST', '/admin/root', { dryRun });
      print(optionsOf(command), answer, () => textOf(answer));
    });
}

function textOf({ from, change }: Record<string, unknown>): string {
  const id = (change as { id?: string } | undefined)?.id;
  const asked =
    id === undefined
      ? 'Nothing was changed. Without --dry-run it would be asked for:'
      : `The change ${id} waits for two administrators, who approve it on the hub, under /changes.`;
  return `${asked}
The root with the fingerprint ${fingerprintText(String(from))} is replaced by the one that everybody has pinned as its next.
What it had certified is certified anew, so sessions, devices and links go on. Its key and all that is public are copied to
control/backups in the data folder first: move that copy off this machine. Afterwards \`latchkey pins\` shows the new fingerprint.`;
}
