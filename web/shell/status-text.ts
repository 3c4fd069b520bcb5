/** The tunnel's state in words for people. Why a tunnel is over is in refusal-text.ts. */
import type { Transfers, TunnelStatus } from '../../worker/api.ts';

const transports = { webtransport: 'WebTransport', websocket: 'WebSocket', loopback: 'loopback' } as const;

/** What a toolbar says: the words, and on a wide window what carries the tunnel. */
export interface StatusWords {
  readonly words: string;
  readonly transport: string;
  /** A longer sentence, for the menu. */
  readonly more: string;
}

/** @param wasOpen there was a tunnel before: it is being opened again. */
export function statusWords(status: TunnelStatus, wasOpen: boolean): StatusWords {
  const transport = status.transport === undefined ? '' : transports[status.transport];
  switch (status.state) {
    case 'connecting':
      return wasOpen
        ? { words: 'Reconnecting…', transport: '', more: 'The tunnel was lost and is being opened again.' }
        : { words: 'Connecting…', transport: '', more: 'The tunnel is being opened.' };
    case 'open':
    case 'rekeying':
      return { words: 'Encrypted', transport, more: 'Post-quantum encryption from this tab to the gateway.' };
    case 'closed':
      return { words: 'Closed', transport: '', more: 'The tunnel has ended.' };
    case 'refused':
      return { words: 'Refused', transport: '', more: 'The tunnel was refused.' };
    default:
      return status.state satisfies never;
  }
}

/** How often the end-to-end keys were renewed. @param epoch of the session */
export function keyWords(epoch: number): string {
  if (epoch === 0) return 'New with this session';
  return epoch === 1 ? 'Renewed once' : `Renewed ${epoch} times`;
}

/** `12.4 of 128 MB`, or `12.4 MB` where nobody said how much it will be. In units of 1,000, as browsers show files. */
export function transferWords({ movedBytes, totalBytes }: Transfers): string {
  const [unit, size] = unitOf(totalBytes ?? movedBytes);
  const moved = amount(movedBytes / size);
  return totalBytes === undefined ? `${moved} ${unit}` : `${moved} of ${amount(totalBytes / size)} ${unit}`;
}

function unitOf(bytes: number): [string, number] {
  if (bytes >= 1e9) return ['GB', 1e9];
  return bytes >= 1e6 ? ['MB', 1e6] : ['kB', 1e3];
}

function amount(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toFixed(1);
}
