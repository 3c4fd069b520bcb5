/**
 * The command line: `latchkey <command>`. Each command lives in server/cli/; this file names them and turns every
 * failure into one sentence and a non-zero exit.
 */
import { Command, CommanderError } from 'commander';
import { CommandFailure, failureOf, usageFailure } from './cli/output.ts';

const wantsJson = process.argv.includes('--json');
const program = new Command('latchkey')
  .description('Reach internal services from any browser, with nothing installed.')
  .option('--data <dir>', 'the folder of this installation (default ./.latchkey)')
  .option('--config <file>', 'a configuration file (default ./latchkey.yaml when there is one)')
  .option('--json', 'print JSON, one object a line')
  .showHelpAfterError('(latchkey --help lists the commands)')
  .configureOutput({ writeErr: (text) => wantsJson || process.stderr.write(text) })
  .exitOverride();

/** What registers each command, in the order of the help. */
const families: readonly [words: readonly string[], add: () => Promise<void>][] = [
  [['up'], async () => (await import('./cli/up.ts')).addUpCommand(program)],
  [['service'], async () => (await import('./cli/service.ts')).addServiceCommands(program)],
  [['wg'], async () => (await import('./cli/wg.ts')).addWireGuardCommands(program)],
  [['connector'], async () => (await import('./cli/connector.ts')).addConnectorCommands(program)],
  [['user', 'pins'], async () => (await import('./cli/people.ts')).addPeopleCommands(program)],
  [['device'], async () => (await import('./cli/device.ts')).addDeviceCommands(program)],
  [['link'], async () => (await import('./cli/link.ts')).addLinkCommands(program)],
  [['policy'], async () => (await import('./cli/policy.ts')).addPolicyCommands(program)],
  [['change'], async () => (await import('./cli/change.ts')).addChangeCommands(program)],
  [['rotate'], async () => (await import('./cli/rotate.ts')).addRotateCommand(program)],
  [['retention'], async () => (await import('./cli/retention.ts')).addRetentionCommands(program)],
  [['session', 'connector', 'receipt'], async () => (await import('./cli/session.ts')).addSessionCommands(program)],
  [['svid'], async () => (await import('./cli/svid.ts')).addSvidCommand(program)],
  [['federation'], async () => (await import('./cli/federation.ts')).addFederationCommands(program)],
  [['audit'], async () => (await import('./cli/audit.ts')).addAuditCommands(program)],
  [['config'], async () => (await import('./cli/config.ts')).addConfigCommand(program)],
  [['doctor'], async () => (await import('./cli/doctor.ts')).addDoctorCommand(program)],
];
// What the other commands need is a good part of a short one's time. Without a known word it is all of them: for help.
const named = families.filter(([words]) => words.some((word) => process.argv.includes(word)));
for (const [, add] of named.length > 0 ? named : families) await add();

try {
  await program.parseAsync();
} catch (error) {
  const isUsage = error instanceof CommanderError;
  const failure = isUsage ? usageFailure(error) : failureOf(error);
  // Commander has said it already where people read it, and help that was asked for is no failure.
  if (wantsJson && !(isUsage && error.exitCode === 0)) process.stderr.write(`${JSON.stringify(failure)}\n`);
  else if (!isUsage) process.stderr.write(`latchkey: ${failure.message}\n`);
  process.exitCode = error instanceof CommandFailure || isUsage ? error.exitCode : 1;
}
