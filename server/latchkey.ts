/**
 * The command line: `latchkey <command>`. Each command lives in server/cli/; this file names them and turns every
 * failure into one sentence and a non-zero exit.
 */
import { Command, CommanderError } from 'commander';
import { addAuditCommands } from './cli/audit.ts';
import { addChangeCommands } from './cli/change.ts';
import { addConfigCommand } from './cli/config.ts';
import { addConnectorCommands } from './cli/connector.ts';
import { addDeviceCommands } from './cli/device.ts';
import { addDoctorCommand } from './cli/doctor.ts';
import { addFederationCommands } from './cli/federation.ts';
import { addLinkCommands } from './cli/link.ts';
import { CommandFailure, failureOf, usageFailure } from './cli/output.ts';
import { addPeopleCommands } from './cli/people.ts';
import { addPolicyCommands } from './cli/policy.ts';
import { addRetentionCommands } from './cli/retention.ts';
import { addRotateCommand } from './cli/rotate.ts';
import { addServiceCommands } from './cli/service.ts';
import { addSessionCommands } from './cli/session.ts';
import { addSvidCommand } from './cli/svid.ts';
import { addUpCommand } from './cli/up.ts';
import { addWireGuardCommands } from './cli/wg.ts';

const wantsJson = process.argv.includes('--json');
const program = new Command('latchkey')
  .description('Reach internal services from any browser, with nothing installed.')
  .option('--data <dir>', 'the folder of this installation (default ./.latchkey)')
  .option('--config <file>', 'a configuration file (default ./latchkey.yaml when there is one)')
  .option('--json', 'print JSON, one object a line')
  .showHelpAfterError('(latchkey --help lists the commands)')
  .configureOutput({ writeErr: (text) => wantsJson || process.stderr.write(text) })
  .exitOverride();

addUpCommand(program);
addServiceCommands(program);
addWireGuardCommands(program);
addConnectorCommands(program);
addPeopleCommands(program);
addDeviceCommands(program);
addLinkCommands(program);
addPolicyCommands(program);
addChangeCommands(program);
addRotateCommand(program);
addRetentionCommands(program);
addSessionCommands(program);
addSvidCommand(program);
addFederationCommands(program);
addAuditCommands(program);
addConfigCommand(program);
addDoctorCommand(program);

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
