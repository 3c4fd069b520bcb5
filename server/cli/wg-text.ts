/** What `latchkey wg show` and `rotate-key` say to people, from the admin API's own answers (control/http/admin-peers.ts). */
import type { PlanePeer, RetiringKey } from '../channel/messages.ts';
import type { ArchivedPeer } from '../control/archived-peers.ts';
import type { ShownPeer } from '../control/peers.ts';
import { table } from './output.ts';

type LivePeer = ShownPeer & { readonly live?: Omit<PlanePeer, 'publicKey'> };

/** @param nowMs of this machine, which is the gateway's. @param note goes below the heading */
export function shownText(answer: Record<string, unknown>, nowMs: number, note: string): string {
  const peers = (answer['peers'] ?? []) as LivePeer[];
  const heading = [
    `public key: ${answer['publicKey'] ?? '(no gateway yet)'}`,
    ...retiringText(answer['retiring'] as RetiringKey | undefined, peers),
    `listening port: ${answer['port'] ?? '(none)'}`,
    `note: ${note}`,
  ].join('\n');
  if (peers.length === 0) return `${heading}\nno peers`;
  const columns = ['PEER', 'NAME', 'ENDPOINT', 'ALLOWED IPS', 'HANDSHAKE', 'RECEIVED', 'SENT', 'KEYS'];
  const rows = peers.map((peer) => [
    ...[peer.publicKey, peer.name, peer.live?.endpoint ?? peer.endpoint ?? '-', peer.allowedIps.join(',')],
    ...[age(peer.live?.lastHandshake, nowMs), size(peer.live?.bytesIn), size(peer.live?.bytesOut), keys(peer, nowMs)],
  ]);
  return `${heading}\n${table([columns, ...rows])}`;
}

function retiringText(retiring: RetiringKey | undefined, peers: readonly LivePeer[]): string[] {
  if (retiring === undefined) return [];
  const names = peers.filter(({ publicKey }) => retiring.peers.includes(publicKey)).map(({ name }) => name);
  const until = new Date(retiring.until).toISOString();
  return [`old public key: ${retiring.publicKey}, until ${until}, still used by ${names.join(', ')}`];
}

export function archivedText(answer: Record<string, unknown>): string {
  const peers = (answer['peers'] ?? []) as ArchivedPeer[];
  if (peers.length === 0) return 'no archived peers';
  const rows = peers.map(({ publicKey, name, allowedIps, archivedAt, reason }) => [
    ...[publicKey, name, allowedIps.join(','), new Date(archivedAt).toISOString(), reason || '-'],
  ]);
  return table([['PEER', 'NAME', 'ALLOWED IPS', 'ARCHIVED', 'REASON'], ...rows]);
}

/** Peers that learn of a new key from people alone. @param peers of `GET /admin/peers` */
export function namesOfPlain(peers: unknown): string[] {
  return ((peers ?? []) as ShownPeer[]).filter(({ connector }) => !connector).map(({ name }) => name);
}

export function rotationText(rotation: Record<string, unknown> & { readonly toTell: readonly string[] }): string {
  const { from, to, backup, toTell, oldUntil } = rotation;
  const done = to === undefined ? 'would take the place of' : `is ${to} and takes the place of`;
  return [
    `The gateway's new public key ${done} ${from}.`,
    `What was before ${to === undefined ? 'would be kept' : 'is kept'} in gateway/${backup} of the data folder.`,
    oldUntil === undefined
      ? 'The key before ends at once, and connections to services with it.'
      : `Each peer may use the key before until it has moved, or ${new Date(Number(oldUntil)).toISOString()}; connections go on.`,
    'Connectors learn of it by themselves.',
    ...(toTell.length === 0 ? [] : [`To be told by you: ${toTell.join(', ')}.`]),
  ].join('\n');
}

/** What is on top of the classical key exchange of WireGuard. */
function keys({ protection, live }: LivePeer, nowMs: number): string {
  if (protection === 'classical') return 'classical only';
  if (protection === 'preshared') return 'preshared key';
  const { pskEpoch = 0, pskSince } = live ?? {};
  return pskEpoch === 0 ? 'post-quantum, none yet' : `post-quantum, epoch ${pskEpoch}, ${age(pskSince, nowMs)}`;
}

function age(atMs: number | undefined, nowMs: number): string {
  if (atMs === undefined) return 'never';
  const seconds = Math.max(0, Math.round((nowMs - atMs) / 1_000));
  if (seconds < 120) return `${seconds} s ago`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 120 ? `${minutes} min ago` : `${Math.floor(minutes / 60)} h ago`;
}

/** In binary units, as wg(8) has them. */
function size(bytes: number | undefined): string {
  if (bytes === undefined) return '-';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 2 ** (10 * power)).toFixed(power === 0 ? 0 : 2)} ${units[power]}`;
}
