/** `latchkey wg add-peer|remove-peer|show|rotate-key|guard|import|export`: the gateway's WireGuard side, in the words of wg(8). */
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { fipsNote } from '../wireguard/fips-note.ts';
import { guardScript, guardSettings } from '../wireguard/system/guard-rules.ts';
import { CommandFailure, configOf, optionsOf, print } from './output.ts';
import { admin } from './service.ts';
import { readQuickPeers, type ShownPeer, writeQuickPeers } from './wg-quick.ts';
import { archivedText, namesOfPlain, rotationText, shownText } from './wg-text.ts';

interface PeerOptions {
  readonly publicKey: string;
  readonly allowedIps: string;
  readonly endpoint?: string;
  readonly name?: string;
  readonly presharedKeyFile?: string;
  readonly persistentKeepalive?: number;
}

export function addWireGuardCommands(program: Command): void {
  const wg = program.command('wg').description('WireGuard peers of the gateway');
  wg.command('add-peer')
    .description('add a WireGuard peer behind which services live')
    .requiredOption('--public-key <key>', 'the peer, 32 bytes in base64')
    .requiredOption('--allowed-ips <cidrs>', 'addresses behind the peer, separated by commas')
    .option('--endpoint <host:port>', 'where the peer listens; without it the peer has to call first')
    .option('--preshared-key-file <file>', 'a file that holds the preshared key in base64')
    .option('--persistent-keepalive <s>', 'seconds between keepalives', wholeSeconds)
    .option('--name <text>', 'a name for people')
    .option('--json', 'print JSON')
    .action(async (own: PeerOptions, command: Command) => {
      const answer = await admin(command, 'POST', '/admin/peers', {
        publicKey: own.publicKey,
        allowedIps: own.allowedIps.split(',').map((cidr) => cidr.trim()),
        ...(own.endpoint !== undefined && { endpoint: own.endpoint }),
        ...(own.name !== undefined && { name: own.name }),
        ...(own.presharedKeyFile !== undefined && { presharedKey: readKey(own.presharedKeyFile) }),
        ...(own.persistentKeepalive !== undefined && { keepaliveS: own.persistentKeepalive }),
      });
      print(optionsOf(command), answer, () => 'The peer is added.');
    });
  wg.command('remove-peer <public-key>')
    .description('archive a peer; services behind it become unreachable')
    .option('--reason <text>', 'why, for whoever asks later')
    .option('--json', 'print JSON')
    .action(async (key: string, { reason }: { reason?: string }, command: Command) => {
      const query = reason === undefined ? '' : `?reason=${encodeURIComponent(reason)}`;
      const answer = await admin(command, 'DELETE', `/admin/peers/${encodeURIComponent(key)}${query}`);
      print(optionsOf(command), answer, () => 'The peer is archived.');
    });
  wg.command('show')
    .description("the gateway's public key and port, and how its peers fare")
    .option('--archived', 'the peers of before instead')
    .option('--json', 'print JSON')
    .action(async ({ archived }: { archived?: boolean }, command: Command) => {
      const answer = await admin(command, 'GET', archived === true ? '/admin/archived-peers' : '/admin/wireguard');
      print(optionsOf(command), answer, () =>
        archived === true
          ? archivedText(answer)
          : shownText(answer, Date.now(), fipsNote(configOf(optionsOf(command)))),
      );
    });
  wg.command('rotate-key')
    .description(
      'make a new WireGuard key for the gateway; the one before is kept in a file, and served until peers have moved',
    )
    .option('--dry-run', 'say what would be done')
    .option('--no-overlap', 'end the key before at once, and every connection with it: it may be known to somebody')
    .option('--json', 'print JSON')
    .action(async ({ dryRun = false, overlap }: { dryRun?: boolean; overlap: boolean }, command: Command) => {
      const rotated = await admin(command, 'POST', '/admin/wireguard/key', { dryRun, overlap });
      const { peers } = await admin(command, 'GET', '/admin/peers');
      const answer = { ...rotated, toTell: namesOfPlain(peers) };
      print(optionsOf(command), answer, () => rotationText(answer));
    });
  wg.command('guard')
    .description('a script that keeps packets for services on the interface of wireguard.interface; run it as root')
    .option('--json', 'print JSON')
    .action((_own: unknown, command: Command) => {
      const settings = guardSettings(configOf(optionsOf(command)));
      if (settings === undefined)
        throw new CommandFailure(
          'driver_embedded',
          'The embedded driver needs no guard: nothing of it reaches a route.',
        );
      const script = guardScript(settings);
      print(optionsOf(command), { script }, () => script);
    });
  addFileCommands(wg);
}

function addFileCommands(wg: Command): void {
  wg.command('import <file>')
    .description('add the peers of a wg-quick file; what stands under [Interface] is passed over')
    .option('--dry-run', 'say what would be added')
    .option('--json', 'print JSON')
    .action(async (file: string, { dryRun }: { dryRun?: boolean }, command: Command) => {
      const peers = readQuickPeers(readText(file));
      if (dryRun !== true) for (const peer of peers) await admin(command, 'POST', '/admin/peers', peer);
      const keys = peers.map(({ publicKey }) => publicKey);
      const what = dryRun === true ? 'would be added' : 'added';
      print(optionsOf(command), { peers: keys, dryRun: dryRun === true }, () =>
        [`${keys.length} peers ${what}`, ...keys].join('\n'),
      );
    });
  wg.command('export')
    .description('the peers as a wg-quick file, without keys that are secret')
    .option('--json', 'print JSON')
    .action(async (_own: unknown, command: Command) => {
      const answer = await admin(command, 'GET', '/admin/wireguard');
      // The admin API's own shape (control/peers.ts); what is missing in it is left out of the file.
      const { port, peers = [] } = answer as { port?: number; peers?: ShownPeer[] };
      print(optionsOf(command), answer, () => writeQuickPeers(port, peers));
    });
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new CommandFailure('file_unreadable', `The file ${file} cannot be read.`);
  }
}

// A key on a command line is in every process listing, so it comes from a file, as wg(8) has it.
function readKey(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw new CommandFailure('key_unreadable', `The preshared key file ${file} cannot be read.`);
  }
}

function wholeSeconds(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('Seconds from 0 to 65535.');
  return Number(text);
}
