/** `latchkey policy apply FILE`: replaces the Cedar policies in force. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { CommandFailure, optionsOf, print } from './output.ts';
import { admin } from './service.ts';

export function addPolicyCommands(program: Command): void {
  program
    .command('policy')
    .description('who may open what')
    .command('apply <file>')
    .description('check a file of Cedar policies and put it in force')
    .option('--json', 'print JSON')
    .action(async (file: string, _own: unknown, command: Command) => {
      const answer = await admin(command, 'PUT', '/admin/policies', { text: readPolicies(file) });
      print(optionsOf(command), answer, () => 'The policies are in force.');
    });
}

function readPolicies(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new CommandFailure('policy_unreadable', `The policy file ${file} cannot be read.`);
  }
}
