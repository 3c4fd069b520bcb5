/** `latchkey doctor`: what is wrong with this deployment, and what to do about it. */
import type { Command } from 'commander';
import { examine } from '../doctor/doctor.ts';
import type { Finding } from '../doctor/finding.ts';
import { configOf, optionsOf, print } from './output.ts';

interface Own {
  readonly remote?: boolean;
  readonly timeServer?: string;
}

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description(
      'check names, certificates, WebSocket, UDP, the clock and the data plane; exits with 1 when something fails',
    )
    .option('--remote', 'from another machine, with the server’s configuration: what browsers there will find')
    .option('--time-server <host[:port]>', 'compare the clock with this time server')
    .option('--json', 'print JSON')
    .action(async (own: Own, command: Command) => {
      const options = optionsOf(command);
      const findings = await examine(configOf(options), { remote: own.remote === true, timeServer: own.timeServer });
      const isWell = findings.every(({ verdict }) => verdict !== 'fail');
      print(options, { ok: isWell, findings }, () => findings.map(line).join('\n'));
      if (!isWell) process.exitCode = 1;
    });
}

function line({ verdict, check, message, advice }: Finding): string {
  const first = `${verdict.toUpperCase().padEnd(5)} ${check.padEnd(24)} ${message}`;
  return advice === undefined ? first : `${first}\n${' '.repeat(31)}${advice}`;
}
