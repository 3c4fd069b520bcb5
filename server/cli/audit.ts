/** `latchkey audit verify`: checks the whole chain of decisions against its signed anchors, with no process running. */
import type { Command } from 'commander';
import { verifyAudit } from '../audit/verify.ts';
import { CommandFailure, configOf, optionsOf, print } from './output.ts';

export function addAuditCommands(program: Command): void {
  program
    .command('audit')
    .description('the record of decisions')
    .command('verify')
    .description('find any event that was edited, dropped, moved or cut off')
    .option('--json', 'print JSON')
    .action(async (_own: unknown, command: Command) => {
      const report = await verifyAudit(configOf(optionsOf(command)).data);
      if (!report.ok) throw new CommandFailure(`audit_${report.fault}`, report.message, 2);
      print(
        optionsOf(command),
        report,
        () => `The audit chain is whole: ${report.events} events, ${report.anchors} anchors.`,
      );
    });
}
