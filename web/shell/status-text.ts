/** The tunnel's state in words for people. */
import type { TunnelStatus } from '../../worker/api.ts';

const transports = { webtransport: 'WebTransport', websocket: 'WebSocket', loopback: 'loopback' } as const;

const refusals: Readonly<Record<string, string>> = {
  denied: 'A policy of your organisation no longer allows this service. Ask your administrator.',
  revoked: 'Your access was withdrawn. Ask your administrator.',
  posture: 'This device does not meet what the service asks for. Ask your administrator what is missing.',
  lease_ended: 'Your sign-in has ended. Go to the hub and sign in again.',
  version: 'This page is older than the gateway. Reload it.',
  suite: 'This page is older than the gateway. Reload it.',
  downgrade: 'Somebody between you and the gateway changed the connection. Try another network.',
};

/** One short line for the toolbar. */
export function shortStatus(status: TunnelStatus): string {
  switch (status.state) {
    case 'connecting':
      return 'Connecting…';
    case 'open':
    case 'rekeying':
      return `Encrypted · ${status.transport === undefined ? '' : transports[status.transport]}`;
    case 'closed':
      return 'Closed';
    case 'refused':
      return 'Refused';
    default:
      return status.state satisfies never;
  }
}

/** A whole sentence for the page, when the tunnel is over for good. */
export function refusalSentence(reason: string | undefined): string {
  return refusals[reason ?? ''] ?? 'The tunnel was refused. Open the service again from the hub.';
}
