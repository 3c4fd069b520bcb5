/** `latchkey svid`: an X.509-SVID and a WIT-SVID for a service, over a key that it holds. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { CommandFailure, optionsOf, print } from './output.ts';
import { admin } from './service.ts';

export function addSvidCommand(program: Command): void {
  program
    .command('svid <service>')
    .description('certify the key of a service for others who read the trust bundle; the key stays where it is')
    .requiredOption('--csr <file>', 'a certificate request (PEM, P-256), as "openssl req -new" makes it')
    .option('--json', 'print JSON')
    .action(async (service: string, { csr }: { csr: string }, command: Command) => {
      const answer = await admin(command, 'POST', '/admin/svids', { service, csr: read(csr) });
      print(optionsOf(command), answer, () => `${String(answer['x509Svid'])}\n${String(answer['witSvid'])}`);
    });
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new CommandFailure('csr_unreadable', `The request file ${file} cannot be read.`);
  }
}
