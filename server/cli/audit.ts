/** `latchkey audit verify`: checks the whole chain of decisions against its signed anchors, with no process running. */
import { type Command, InvalidArgumentError } from 'commander';
import { verifyAudit } from '../audit/verify.ts';
import { storePlace } from '../store/paths.ts';
import { CommandFailure, type CommonOptions, configOf, optionsOf, print } from './output.ts';

export function addAuditCommands(program: Command): void {
  program
    .command('audit')
    .description('the record of decisions')
    .command('verify')
    .description('find any event that was edited, dropped, moved or cut off')
    .option('--json', 'print JSON')
    .option('--at-least <seq>', 'the position an earlier run printed; fewer events are a log that was cut', position)
    .action(async (own: CommonOptions & { readonly atLeast?: number }, command: Command) => {
      const config = configOf(optionsOf(command));
      const report = await verifyAudit(config.data, own.atLeast, storePlace(config));
      if (!report.ok) throw new CommandFailure(`audit_${report.fault}`, report.message, 2);
      print(
        optionsOf(command),
        report,
        () =>
          `The audit chain is whole: ${report.events - (report.dropped ?? 0)} events, ${report.anchors} anchors.\n` +
          (report.dropped === undefined
            ? ''
            : `Events 1 to ${report.dropped} were dropped, being older than they are kept.\n`) +
          `Position ${report.events}: note it elsewhere, and check with --at-least ${report.events} the next time.`,
      );
    });
}

function position(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('A position is a whole number from 1.');
  return Number(text);
}
