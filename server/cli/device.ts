/** `latchkey device list|name|approve|revoke|archive`: the devices that people sign in from. */
import type { Command } from 'commander';
import { optionsOf, print, table } from './output.ts';
import { admin } from './service.ts';

export function addDeviceCommands(program: Command): void {
  const device = program.command('device').description('the devices people sign in from');
  device
    .command('list')
    .description('all devices with their people')
    .option('--archived', 'those that were archived as well')
    .option('--json', 'print JSON')
    .action(async (own: { archived?: boolean }, command: Command) => {
      const answer = await admin(command, 'GET', `/admin/devices?archived=${own.archived === true}`);
      const devices = (answer['devices'] ?? []) as Record<string, unknown>[];
      print(optionsOf(command), answer, () =>
        devices.length === 0
          ? 'There are no devices.'
          : table([['ID', 'STATE', 'PERSON', 'NAME', 'LAST SIGN-IN'], ...devices.map(deviceRow)]),
      );
    });
  device
    .command('name <id> <name>')
    .description('give a device a name')
    .option('--json', 'print JSON')
    .action(async (id: string, name: string, _own: unknown, command: Command) => {
      const answer = await admin(command, 'POST', `/admin/devices/${encodeURIComponent(id)}/name`, { name });
      print(optionsOf(command), answer, () => `Device ${id} is called ${name}.`);
    });
  device
    .command('revoke <id>')
    .description('take a lost device out; every session of it ends at once')
    .option('--reason <text>', 'why, for whoever asks later')
    .option('--json', 'print JSON')
    .action(async (id: string, own: { reason?: string }, command: Command) => {
      const why = own.reason === undefined ? '' : `?reason=${encodeURIComponent(own.reason)}`;
      const answer = await admin(command, 'DELETE', `/admin/devices/${encodeURIComponent(id)}${why}`);
      print(optionsOf(command), answer, () => `Device ${id} is revoked.`);
    });
  for (const [verb, done, about] of [
    ['approve', 'may sign in', 'let a device sign in that waits for it'],
    ['archive', 'is archived', 'take a revoked device out of the list; it is kept'],
  ] as const) {
    device
      .command(`${verb} <id>`)
      .description(about)
      .option('--json', 'print JSON')
      .action(async (id: string, _own: unknown, command: Command) => {
        const answer = await admin(command, 'POST', `/admin/devices/${encodeURIComponent(id)}/${verb}`, {});
        print(optionsOf(command), answer, () => `Device ${id} ${done}.`);
      });
  }
}

function deviceRow(device: Record<string, unknown>): string[] {
  const last = device['lastSignIn'];
  const seen = typeof last === 'number' ? new Date(last).toISOString() : 'never';
  const [id, state, person, name] = ['id', 'state', 'userName', 'name'].map((field) => String(device[field] ?? ''));
  return [id ?? '', state ?? '', person ?? '', name ?? '', seen];
}
