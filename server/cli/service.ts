/** `latchkey service add|list|remove`: what people can open. */
import { type Command, Option } from 'commander';
import { adminRequest } from '../channel/admin-client.ts';
import type { ProbeReport } from '../channel/probe-report.ts';
import { type HostRule, hostRules } from '../channel/snapshot-content.ts';
import { dataPaths } from '../config.ts';
import { CommandFailure, configOf, optionsOf, print, table } from './output.ts';
import { probeText } from './probe.ts';

interface Settings {
  readonly title?: string;
  readonly host?: HostRule;
  readonly corsFrom?: string;
  readonly namespace?: string;
  readonly labels?: string;
  readonly farId?: string;
}

/** The options of whatever sets them. */
function withSettings(command: Command): Command {
  const host = 'the host the service is told: its public name, or that of its own URL';
  return command
    .option('--title <text>', 'the name people see')
    .addOption(new Option('--host <which>', host).choices(hostRules))
    .option('--cors-from <names>', 'services whose pages may call this one, separated by commas; "" for none')
    .option('--namespace <name>', 'the namespace it is in, for policies (default: default)')
    .option('--labels <words>', 'words that policies may ask for, separated by commas; "" for none')
    .option(
      '--far-id <id>',
      'the SPIFFE id of a federated trust domain that it shows in TLS inside WireGuard; "" for none',
    )
    .option('--json', 'print JSON');
}

const listed = (text: string) => text.split(',').filter((name) => name !== '');

function settingsOf({ title, host, corsFrom, namespace, labels, farId }: Settings) {
  return {
    ...(title !== undefined && { title }),
    ...(host !== undefined && { host }),
    ...(corsFrom !== undefined && { corsFrom: listed(corsFrom) }),
    ...(namespace !== undefined && { namespace }),
    ...(labels !== undefined && { labels: listed(labels) }),
    ...(farId !== undefined && { farId }),
  };
}

export function addServiceCommands(program: Command): void {
  const service = program.command('service').description('the services people can open');
  withSettings(service.command('add <name> <url>'))
    .description('publish a service; the host of the URL lies inside a WireGuard peer, or is <connector>.wg')
    .action(async (name: string, url: string, own: Settings, command: Command) => {
      const answer = await admin(command, 'POST', '/admin/services', { name, url, ...settingsOf(own) });
      print(optionsOf(command), answer, () => `${name} is published. Open it from the hub.`);
    });
  withSettings(service.command('set <name>'))
    .description('change the settings of a service; people keep what they have open')
    .action(async (name: string, own: Settings, command: Command) => {
      const settings = settingsOf(own);
      if (Object.keys(settings).length === 0)
        throw new CommandFailure(
          'nothing_to_set',
          'Name what to change: --title, --host, --cors-from, --namespace, --labels or --far-id.',
        );
      const answer = await admin(command, 'PATCH', `/admin/services/${encodeURIComponent(name)}`, settings);
      print(optionsOf(command), answer, () => `${name} is changed.`);
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
    .command('probe <name>')
    .description('visit a service through the data plane and tell what it uses and which settings it needs')
    .option('--json', 'print JSON')
    .action(async (name: string, _own: unknown, command: Command) => {
      const answer = await admin(command, 'POST', `/admin/services/${encodeURIComponent(name)}/probe`, {});
      // The control plane's answer has this shape by its own schema.
      print(optionsOf(command), answer, () => probeText(answer as unknown as ProbeReport));
    });
  service
    .command('remove <name>')
    .description('take a service away; open sessions to it end')
    .option('--json', 'print JSON')
    .action(async (name: string, _own: unknown, command: Command) => {
      const answer = await admin(command, 'DELETE', `/admin/services/${encodeURIComponent(name)}`);
      print(optionsOf(command), answer, () => `${name} is removed.`);
    });
  for (const [verb, done, about] of [
    ['suspend', 'is suspended', 'end what is open to a service, and let nobody in until it is resumed'],
    ['resume', 'opens again', 'open a suspended service again'],
  ] as const) {
    service
      .command(`${verb} <name>`)
      .description(about)
      .option('--json', 'print JSON')
      .action(async (name: string, _own: unknown, command: Command) => {
        const answer = await admin(command, 'POST', `/admin/services/${encodeURIComponent(name)}/${verb}`, {});
        print(optionsOf(command), answer, () => `${name} ${done}.`);
      });
  }
}

/** One admin call in the data folder that the command line names. */
export function admin(
  command: Command,
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> {
  return adminRequest(dataPaths.adminSocket(configOf(optionsOf(command))), method, path, body);
}
