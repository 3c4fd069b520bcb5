/**
 * `latchkey audit verify`: checks the whole chain of decisions against its signed anchors, with no process running.
 * `list` and `export` ask the control plane for what is in it.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { verifyAudit } from '../audit/verify.ts';
import { adminDownload } from '../channel/admin-client.ts';
import type { AuditEvent } from '../channel/audit-event.ts';
import { dataPaths } from '../config.ts';
import { storePlace } from '../store/paths.ts';
import { CommandFailure, type CommonOptions, configOf, optionsOf, print, table } from './output.ts';
import { admin } from './service.ts';

export function addAuditCommands(program: Command): void {
  const audit = program.command('audit').description('the record of decisions');
  addList(audit);
  addExport(audit);
  audit
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

interface Listed {
  readonly device?: string;
  readonly sincePosture?: boolean;
  readonly type?: string;
}

function addList(audit: Command): void {
  audit
    .command('list')
    .description('events in their order')
    .option('--device <id>', 'what this device did')
    .option('--since-posture', 'of that device, since its posture was last found good')
    .option('--type <name>', 'events of one type')
    .option('--json', 'print JSON')
    .action(async (own: Listed, command: Command) => {
      const { device, type, sincePosture } = own;
      if (sincePosture === true && device === undefined)
        throw new CommandFailure('usage', 'Name the device whose posture is meant, by --device.');
      const asked = { ...(device && { device }), ...(type && { type }), ...(sincePosture && { sincePosture: 'true' }) };
      const events = await allEvents(command, asked);
      print(optionsOf(command), { events }, () =>
        table([['POSITION', 'TIME', 'EVENT', 'SERVICE', 'DECISION', 'BY'], ...events.map(row)]),
      );
    });
}

type Position = AuditEvent & { readonly seq: number };

/** As many as the control plane gives at once. */
const pageSize = 1_000;

async function allEvents(command: Command, asked: Readonly<Record<string, string>>): Promise<Position[]> {
  const events: Position[] = [];
  for (;;) {
    const after = events.at(-1)?.seq ?? 0;
    const query = new URLSearchParams({ ...asked, limit: String(pageSize), after: String(after) });
    // The control plane's own events, of this very type.
    const page = (await admin(command, 'GET', `/admin/audit?${query}`))['events'] as Position[];
    events.push(...page);
    // Not until there is none: where much happens, there always is another.
    if (page.length < pageSize) return events;
  }
}

function row({ seq, time, type, service, decision, reason, policies, detail }: Position): string[] {
  const what = typeof detail?.['operation'] === 'string' ? `${type} ${detail['operation']}` : type;
  const by = policies?.join(' ') ?? reason ?? '';
  return [String(seq), new Date(time).toISOString(), what, service ?? '', decision ?? '', by];
}

const ends = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function addExport(audit: Command): void {
  audit
    .command('export <file>')
    .description('all events of now, a line of JSON each with position and hash, into a file of its own')
    .option('--json', 'print JSON')
    .action(async (file: string, _own: unknown, command: Command) => {
      const partial = `${file}.partial`;
      if (existsSync(file)) throw new CommandFailure('file_unwritable', `The file ${file} is there already.`);
      // Half a log has another name than a whole one.
      const to = await open(partial, 'wx', 0o600).catch(() => {
        throw new CommandFailure('file_unwritable', `The file ${partial} cannot be made, or is there already.`);
      });
      // The same end as by itself, but for what is half written.
      const leave = (signal: NodeJS.Signals) => {
        rmSync(partial, { force: true });
        process.kill(process.pid, signal);
      };
      for (const signal of ends) process.once(signal, leave);
      try {
        const socket = dataPaths.adminSocket(configOf(optionsOf(command)));
        await adminDownload(socket, '/admin/audit/export', to.createWriteStream());
      } catch (error) {
        rmSync(partial, { force: true });
        throw error;
      } finally {
        for (const signal of ends) process.off(signal, leave);
      }
      renameSync(partial, file);
      print(optionsOf(command), { file }, () => `All events of now are in ${file}.`);
    });
}

function position(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('A position is a whole number from 1.');
  return Number(text);
}
