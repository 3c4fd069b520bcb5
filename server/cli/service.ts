/** `latchkey service add|list|remove`: what people can open. */
import type { Command } from 'commander';
import { adminRequest } from '../channel/admin-client.ts';
import { dataPaths } from '../config.ts';
import { configOf, optionsOf, print, table } from './output.ts';

export function addServiceCommands(program: Command): void {
  const service = program.command('service').description('the services people can open');
  service
    .command('add <name> <url>')
    .description('publish a service; the host of the URL lies inside a WireGuard peer, or is <connector>.wg')
    .option('--title <text>', 'the name people see')
    .option('--json', 'print JSON')
    .action(async (name: string, url: string, own: { title?: string }, command: Command) => {
      const options = optionsOf(command);
      const answer = await admin(command, 'POST', '/admin/services', {
        name,
        url,
        ...(own.title && { title: own.title }),
      });
      print(options, answer, () => `${name} is published. Open it from the hub.`);
    });
  service
    .command('list')
    .description('all services with their targets')
    .option('--json', 'print JSON')
    .action(async (_own: unknown, command: Command) => {
      const answer = await admin(command, 'GET', '/admin/services');
      const services = (answer['services'] ?? []) as Record<string, string>[];
      print(optionsOf(command), answer, () =>
        services.length === 0
          ? 'No service is defined.'
          : table([
              ['NAME', 'URL', 'WIREGUARD PEER'],
              ...services.map((s) => [s['name'] ?? '', s['url'] ?? '', s['wireguardKey'] ?? '']),
            ]),
      );
    });
  service
    .command('remove <name>')
    .description('take a service away; open sessions to it end')
    .option('--json', 'print JSON')
    .action(async (name: string, _own: unknown, command: Command) => {
      const answer = await admin(command, 'DELETE', `/admin/services/${encodeURIComponent(name)}`);
      print(optionsOf(command), answer, () => `${name} is removed.`);
    });
}

/** One admin call in the data folder that the command line names. */
export function admin(
  command: Command,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> {
  return adminRequest(dataPaths.adminSocket(configOf(optionsOf(command))), method, path, body);
}
