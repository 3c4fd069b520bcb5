/** `latchkey federation add|list|end`: other trust domains, each in some namespaces and for a time. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { durationS } from './duration.ts';
import { CommandFailure, optionsOf, print, table } from './output.ts';
import { admin } from './service.ts';

interface Given {
  readonly bundle: string;
  readonly namespaces: string;
  readonly ttl: string;
}

interface Listed {
  readonly trustDomain: string;
  readonly namespaces: readonly string[];
  readonly expires: number;
  readonly expired: boolean;
}

export function addFederationCommands(program: Command): void {
  const federation = program.command('federation').description('other SPIFFE trust domains that services may be of');
  federation
    .command('add <trust-domain>')
    .description('believe its authorities in some namespaces for a time; again, with a newer bundle, to renew')
    .requiredOption('--bundle <file>', 'its SPIFFE bundle (JSON), obtained in a way that you trust')
    .requiredOption('--namespaces <names>', 'the namespaces whose services may be of it, separated by commas')
    .requiredOption('--ttl <duration>', 'when it ends: 30d, at most 366d')
    .option('--json', 'print JSON')
    .action(async (trustDomain: string, given: Given, command: Command) => {
      const namespaces = given.namespaces.split(',');
      const body = { trustDomain, bundle: read(given.bundle), namespaces, ttlS: durationS(given.ttl) };
      const answer = await admin(command, 'POST', '/admin/federations', body);
      print(optionsOf(command), answer, () => `${trustDomain} is federated in ${namespaces.join(', ')}.`);
    });
  federation
    .command('list')
    .description('all federations, those that ended too')
    .option('--json', 'print JSON')
    .action(async (_own: unknown, command: Command) => {
      const answer = await admin(command, 'GET', '/admin/federations');
      // The control plane's answer has this shape by its own schema.
      const listed = (answer['federations'] ?? []) as Listed[];
      print(optionsOf(command), answer, () => listText(listed));
    });
  federation
    .command('end <trust-domain>')
    .description('believe it no more; open connections that rest on it end')
    .option('--json', 'print JSON')
    .action(async (trustDomain: string, _own: unknown, command: Command) => {
      const answer = await admin(command, 'DELETE', `/admin/federations/${encodeURIComponent(trustDomain)}`);
      print(optionsOf(command), answer, () => `The federation with ${trustDomain} has ended.`);
    });
}

function listText(listed: readonly Listed[]): string {
  if (listed.length === 0) return 'No other trust domain is believed.';
  const row = ({ trustDomain, namespaces, expires, expired }: Listed) => {
    return [trustDomain, namespaces.join(' '), `${new Date(expires).toISOString()}${expired ? ' (ended)' : ''}`];
  };
  return table([['TRUST DOMAIN', 'NAMESPACES', 'ENDS'], ...listed.map(row)]);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new CommandFailure('bundle_unreadable', `The bundle file ${file} cannot be read.`);
  }
}
