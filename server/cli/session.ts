/** `latchkey session list|revoke`, `latchkey connector revoke` and `latchkey receipt list|show|verify`. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { base64url, unbase64url } from '../../protocol/bytes.ts';
import { verifyReceipt } from '../audit/receipt.ts';
import { CommandFailure, configOf, optionsOf, print, table } from './output.ts';
import { admin } from './service.ts';

export function addSessionCommands(program: Command): void {
  addSession(program.command('session').description('what people and guests have open'));
  const connector = program.commands.find((command) => command.name() === 'connector');
  addConnector(connector ?? program.command('connector').description('the peers of our own beside services'));
  addReceipt(program.command('receipt').description('signed receipts of what a revocation cut'));
}

function addSession(session: Command): void {
  session
    .command('list')
    .description('sessions whose credential is good now')
    .option('--json', 'print JSON')
    .action(async (_own: unknown, command: Command) => {
      const answer = await admin(command, 'GET', '/admin/sessions');
      const sessions = (answer['sessions'] ?? []) as Record<string, unknown>[];
      print(optionsOf(command), answer, () =>
        sessions.length === 0
          ? 'Nothing is open.'
          : table([['ID', 'WHO', 'SERVICE', 'SINCE', 'SPIFFE ID'], ...sessions.map(sessionRow)]),
      );
    });
  session
    .command('revoke <id>')
    .description('end one session at once')
    .option('--json', 'print JSON')
    .action(async (id: string, _own: unknown, command: Command) => {
      const answer = await admin(command, 'DELETE', `/admin/sessions/${encodeURIComponent(id)}`);
      print(optionsOf(command), answer, () => `Session ${id} is revoked.`);
    });
}

function sessionRow({ id, name, service, since, actor }: Record<string, unknown>): string[] {
  return [String(id), String(name), String(service), new Date(Number(since)).toISOString(), String(actor)];
}

function addConnector(connector: Command): void {
  connector
    .command('revoke <name>')
    .description('a connector joins no more, and the services it carries are suspended')
    .option('--reason <text>', 'why, for whoever asks later')
    .option('--json', 'print JSON')
    .action(async (name: string, own: { reason?: string }, command: Command) => {
      const why = own.reason === undefined ? '' : `?reason=${encodeURIComponent(own.reason)}`;
      const answer = await admin(command, 'DELETE', `/admin/connectors/${encodeURIComponent(name)}${why}`);
      print(optionsOf(command), answer, () => `Connector ${name} is revoked.`);
    });
}

function addReceipt(receipt: Command): void {
  receipt
    .command('list')
    .description('receipts, newest first')
    .option('--json', 'print JSON')
    .action(async (_own: unknown, command: Command) => {
      const answer = await admin(command, 'GET', '/admin/receipts');
      const receipts = (answer['receipts'] ?? []) as Record<string, unknown>[];
      const rows = receipts.map((one) => ['id', 'service', 'streams', 'actor'].map((field) => String(one[field])));
      print(optionsOf(command), answer, () =>
        rows.length === 0 ? 'There are no receipts.' : table([['ID', 'SERVICE', 'STREAMS', 'WHO'], ...rows]),
      );
    });
  receipt
    .command('show <id>')
    .description('the signed document in base64url, to keep or to hand on')
    .option('--json', 'print JSON')
    .action(async (id: string, _own: unknown, command: Command) => {
      const answer = await admin(command, 'GET', `/admin/receipts/${encodeURIComponent(id)}`);
      print(optionsOf(command), answer, () => String(answer['object']));
    });
  receipt
    .command('verify <file>')
    .description('what a receipt says, if it is signed by this installation; nothing needs to run')
    .option('--json', 'print JSON')
    .action(async (file: string, _own: unknown, command: Command) => {
      const verified = await verifyReceipt(configOf(optionsOf(command)).data, documentIn(file));
      print(optionsOf(command), verified, () => JSON.stringify(verified, undefined, 2));
    });
}

function documentIn(file: string): Uint8Array {
  try {
    const text = readFileSync(file, 'utf8').trim();
    const bytes = unbase64url(text);
    if (base64url(bytes) === text) return bytes;
  } catch {
    // Falls through: a file that is not there is no receipt either.
  }
  throw new CommandFailure('receipt_unreadable', `The file ${file} holds no receipt.`);
}
