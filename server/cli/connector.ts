/** `latchkey connector`: runs a connector beside services; `connector add|list`: the administrator's side. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { parseExposes } from '../connector/expose.ts';
import { runConnector } from '../connector/run-connector.ts';
import { logger, setLogLevel } from '../log.ts';
import { CommandFailure, configOf, optionsOf, print, table } from './output.ts';
import { admin } from './service.ts';
import { untilTold } from './until-told.ts';

interface RunOptions {
  readonly token?: string;
  readonly expose: readonly string[];
  readonly bind: string;
  readonly machineCert?: string;
  readonly machineKey?: string;
}

interface AddOptions {
  readonly evidence?: string;
  readonly machine?: string;
  readonly workload: readonly string[];
}

export function addConnectorCommands(program: Command): void {
  const connector = program
    .command('connector')
    .description('run a connector: a WireGuard peer beside the services, which publishes those it is told to')
    .option('--token <token>', 'from "latchkey connector add"; needed the first time only')
    .option('--expose <name=host:port>', 'a service to publish, NAME=[SCHEME://]HOST:PORT; may be repeated', gather, [])
    .option('--bind <address>', 'the address of the WireGuard socket', '0.0.0.0')
    .option('--machine-cert <file>', 'an X.509 certificate that this machine has of its owner, PEM; shown as evidence')
    .option('--machine-key <file>', 'its key, PEM')
    .option('--data <dir>', 'the folder of this connector')
    .option('--json', 'print JSON, one object a line')
    .action(async (own: RunOptions, command: Command) => {
      const options = optionsOf(command);
      const config = configOf(options);
      setLogLevel(config.logLevel);
      const exposes = parseExposes(own.expose);
      const running = await runConnector({
        ...{ folder: join(config.data, 'connector'), token: own.token, exposes, bind: own.bind },
        ...{ machine: machineOf(own), mtu: config.wireguard.mtu, log: logger('connector') },
      });
      const { name, address, publicKey } = running;
      const ready = { event: 'ready', name, address, publicKey, services: exposes.map((target) => target.name) };
      print(
        options,
        ready,
        () => `Connector ${name} serves ${ready.services.join(', ') || 'nothing yet'}. Ctrl-C stops it.`,
      );
      const refused = await Promise.race([untilTold(), running.refused]);
      if (refused instanceof Error) throw refused;
      await running.close();
      process.exit(0);
    });
  connector
    .command('add <name>')
    .description('make a token that lets a connector of this name join, once, within a day')
    .option('--evidence <strength>', 'weak: the token alone; strong: a certificate of channel.machines, each time')
    .option('--machine <dns-name>', 'the name that has to be in that certificate; implies strong')
    .option('--workload <service=selector>', 'what its process has to be, as unix:uid:33; may be repeated', gather, [])
    .option('--json', 'print JSON')
    .action(async (name: string, { evidence, machine, workload }: AddOptions, command: Command) => {
      const needs = {
        ...(evidence !== undefined && { evidence }),
        ...(machine !== undefined && { machine }),
        ...(workload.length > 0 && { workloads: workloadsOf(workload) }),
      };
      const answer = await admin(command, 'POST', '/admin/connectors', { name, ...needs });
      print(optionsOf(command), answer, () =>
        [
          'Run beside the services:',
          `  latchkey connector --token ${String(answer['token'])} --expose NAME=HOST:PORT`,
          answer['remote'] === true
            ? 'The token works once, within a day.'
            : 'The token works once, within a day, and on this machine only: set channel.port for other machines.',
        ].join('\n'),
      );
    });
  connector
    .command('list')
    .description('all connectors')
    .option('--json', 'print JSON')
    .action(async (_own: unknown, command: Command) => {
      const answer = await admin(command, 'GET', '/admin/connectors');
      const rows = (answer['connectors'] ?? []) as Record<string, unknown>[];
      print(optionsOf(command), answer, () =>
        rows.length === 0
          ? 'No connector has joined.'
          : table([
              ['NAME', 'ADDRESS', 'CONNECTED', 'EVIDENCE', 'WIREGUARD KEY'],
              ...rows.map((row) =>
                [
                  row['name'],
                  row['address'],
                  row['connected'] === true ? 'yes' : 'no',
                  row['machine'] === undefined ? row['evidence'] : `${row['evidence']} (${row['machine']})`,
                  row['wireguardKey'],
                ].map(String),
              ),
            ]),
      );
    });
}

function gather(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function workloadsOf(given: readonly string[]): Record<string, string[]> {
  const workloads: Record<string, string[]> = {};
  for (const text of given) {
    const [, service, selector] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    if (service === undefined || selector === undefined)
      throw new CommandFailure('selector_malformed', `--workload ${text}: it is SERVICE=SELECTOR.`);
    workloads[service] = [...(workloads[service] ?? []), selector];
  }
  return workloads;
}

function machineOf({ machineCert, machineKey }: RunOptions): { cert: string; key: string } | undefined {
  if (machineCert === undefined && machineKey === undefined) return undefined;
  if (machineCert === undefined || machineKey === undefined)
    throw new CommandFailure('machine_unusable', '--machine-cert and --machine-key belong together.');
  return { cert: machineCert, key: machineKey };
}
