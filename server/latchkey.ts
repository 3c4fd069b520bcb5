#!/usr/bin/env node
/**
 * The command line: `latchkey <command>`. Each command lives in server/cli/; this file names them and turns every
 * failure into one sentence and a non-zero exit.
 */
import { Command, CommanderError } from 'commander';
import { addAuditCommands } from './cli/audit.ts';
import { addConfigCommand } from './cli/config.ts';
import { CommandFailure, failureOf } from './cli/output.ts';
import { addPeopleCommands } from './cli/people.ts';
import { addPolicyCommands } from './cli/policy.ts';
import { addServiceCommands } from './cli/service.ts';
import { addUpCommand } from './cli/up.ts';
import { addWireGuardCommands } from './cli/wg.ts';

const program = new Command('latchkey')
  .description('Reach internal services from any browser, with nothing installed.')
  .option('--data <dir>', 'the folder of this installation (default ./.latchkey)')
  .option('--config <file>', 'a configuration file (default ./latchkey.yaml when there is one)')
  .option('--json', 'print JSON, one object a line')
  .showHelpAfterError('(latchkey --help lists the commands)')
  .exitOverride();

addUpCommand(program);
addServiceCommands(program);
addWireGuardCommands(program);
addPeopleCommands(program);
addPolicyCommands(program);
addAuditCommands(program);
addConfigCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else {
    const failure = failureOf(error);
    const json = program.opts<{ json?: boolean }>().json === true || process.argv.includes('--json');
    process.stderr.write(json ? `${JSON.stringify(failure)}\n` : `latchkey: ${failure.message}\n`);
    process.exitCode = error instanceof CommandFailure ? error.exitCode : 1;
  }
}
