/** `latchkey link create|list|preview|revoke` and `latchkey link knocks|approve|refuse`: guests, and the door for them. */
import type { Command } from 'commander';
import { renderUnicodeCompact } from 'uqr';
import { durationS } from './duration.ts';
import { CommandFailure, type CommonOptions, optionsOf, print, table } from './output.ts';
import { admin } from './service.ts';

interface CreateOptions {
  readonly service: string[];
  readonly ttl: string;
  readonly uses: string;
  readonly kiosk?: boolean;
  readonly readOnly?: boolean;
  readonly approve?: boolean;
  readonly hours: string[];
  readonly zone?: string;
  readonly for?: string;
  readonly qr: boolean;
}

type Row = Record<string, unknown>;
const collect = (value: string, before: string[]): string[] => [...before, value];

export function addLinkCommands(program: Command): void {
  const link = program.command('link').description('one-click links for guests');
  addCreate(link);
  addKept(link);
  addDoor(link);
}

function addCreate(link: Command): void {
  link
    .command('create')
    .description('make a link; its URL is shown this once')
    .requiredOption('--service <name>', 'what it opens; may be given more than once', collect, [])
    .option('--ttl <duration>', 'how long it lasts, such as 30m, 1h, 2d', '1h')
    .option('--uses <n>', 'how many guests may come by it', '1')
    .option('--kiosk', 'the link alone is the key: no passkey is made, nothing is kept in the browser')
    .option('--read-only', 'requests that may change something are refused')
    .option('--hours <range>', 'when it is open, such as 08:00-18:00; may be given more than once', collect, [])
    .option('--zone <name>', "time zone of the hours (default: this machine's)")
    .option('--for <email>', 'the guest has to name this e-mail address')
    .option('--approve', 'somebody has to let each guest in: see `link knocks`')
    .option('--no-qr', 'without the QR code')
    .option('--json', 'print JSON')
    .action(async (own: CreateOptions, command: Command) => {
      const answer = await admin(command, 'POST', '/admin/links', wanted(own));
      const url = String(answer['url']);
      const { id } = answer['link'] as Row;
      const code = own.qr ? `\n${renderUnicodeCompact(url, { ecc: 'L', border: 2 })}` : '';
      print(optionsOf(command), answer, () => `Link ${String(id)}, once:\n  ${url}${code}`);
    });
}

function wanted(own: CreateOptions): object {
  const uses = Number(own.uses);
  if (!Number.isSafeInteger(uses)) throw new CommandFailure('link_malformed', '--uses is a whole number.');
  return {
    services: own.service,
    ttlS: durationS(own.ttl),
    uses,
    kiosk: own.kiosk === true,
    readOnly: own.readOnly === true,
    approval: own.approve === true,
    hours: own.hours,
    zone: own.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    ...(own.for !== undefined && { recipient: own.for }),
  };
}

function addKept(link: Command): void {
  link
    .command('list')
    .description('all links, those that are over as well')
    .option('--json', 'print JSON')
    .action(async (_own: unknown, command: Command) => {
      const answer = await admin(command, 'GET', '/admin/links');
      const links = (answer['links'] ?? []) as Row[];
      const heading = ['ID', 'STATE', 'USED', 'EXPIRES', 'SERVICES', 'TERMS'];
      print(optionsOf(command), answer, () =>
        links.length === 0 ? 'There are no links.' : table([heading, ...links.map(linkRow)]),
      );
    });
  link
    .command('preview <id>')
    .description('what a link lets its guests do')
    .option('--json', 'print JSON')
    .action(async (id: string, _own: unknown, command: Command) => {
      const answer = await admin(command, 'GET', `/admin/links/${encodeURIComponent(id)}`);
      print(optionsOf(command), answer, () =>
        table([['ID', 'STATE', 'USED', 'EXPIRES', 'SERVICES', 'TERMS'], linkRow(answer)]),
      );
    });
  link
    .command('revoke <id>')
    .description('end a link and every session by it, at once')
    .option('--reason <text>', 'why, for whoever asks later')
    .option('--json', 'print JSON')
    .action(async (id: string, own: { reason?: string }, command: Command) => {
      const why = own.reason === undefined ? '' : `?reason=${encodeURIComponent(own.reason)}`;
      const answer = await admin(command, 'DELETE', `/admin/links/${encodeURIComponent(id)}${why}`);
      print(optionsOf(command), answer, () => `Link ${id} is revoked.`);
    });
}

function linkRow(link: Row): string[] {
  const terms = [
    link['kiosk'] === true ? 'kiosk' : 'passkey',
    link['readOnly'] === true ? 'read-only' : '',
    link['approval'] === true ? 'approval' : '',
    ...(link['hours'] as string[]).map((range) => `${range} ${String(link['zone'])}`),
    link['recipient'] === undefined ? '' : `for ${String(link['recipient'])}`,
  ];
  return [
    String(link['id']),
    String(link['state']),
    `${String(link['used'])}/${String(link['maxUses'])}`,
    new Date(Number(link['expiresAt'])).toISOString(),
    (link['services'] as string[]).join(' '),
    terms.filter((term) => term !== '').join(', '),
  ];
}

function addDoor(link: Command): void {
  link
    .command('knocks')
    .description('guests who wait to be let in')
    .option('--watch', 'go on and print each as it comes, until interrupted')
    .option('--json', 'print JSON')
    .action(async (own: { watch?: boolean }, command: Command) => {
      const options = optionsOf(command);
      if (own.watch === true) return watch(command, options);
      const answer = await admin(command, 'GET', '/admin/knocks');
      const knocks = (answer['knocks'] ?? []) as Row[];
      print(options, answer, () => (knocks.length === 0 ? 'Nobody is at the door.' : knockTable(knocks)));
    });
  for (const [verb, done] of [
    ['approve', 'is let in'],
    ['refuse', 'is refused'],
  ] as const) {
    link
      .command(`${verb} <knock>`)
      .description(`the guest ${done}; compare the code with what their page shows`)
      .option('--json', 'print JSON')
      .action(async (id: string, _own: unknown, command: Command) => {
        const answer = await admin(command, 'POST', `/admin/knocks/${encodeURIComponent(id)}/${verb}`, {});
        print(optionsOf(command), answer, () => `The guest ${done}.`);
      });
  }
}

function knockTable(knocks: readonly Row[]): string {
  const rows = knocks.map((knock) =>
    ['id', 'code', 'name', 'address', 'link'].map((field) => String(knock[field] ?? '')),
  );
  return table([['KNOCK', 'CODE', 'NAME', 'FROM', 'LINK'], ...rows]);
}

async function watch(command: Command, options: CommonOptions): Promise<never> {
  const seen = new Set<unknown>();
  for (;;) {
    // Waits there for the first one; where somebody waits already, it asks again in a moment.
    const { knocks } = (await admin(command, 'GET', '/admin/knocks?wait=10')) as { knocks: Row[] };
    for (const knock of knocks.filter(({ id }) => !seen.has(id))) {
      seen.add(knock['id']);
      print(options, knock, () => knockTable([knock]));
    }
    if (knocks.length > 0) await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
