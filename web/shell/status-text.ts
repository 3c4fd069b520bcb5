/** The tunnel's state in words for people. */
import type { TunnelStatus } from '../../worker/api.ts';

const transports = { webtransport: 'WebTransport', websocket: 'WebSocket', loopback: 'loopback' } as const;

/** What a toolbar says: the words, and on a wide window what carries the tunnel. */
export interface StatusWords {
  readonly words: string;
  readonly transport: string;
  /** A longer sentence for whoever points at it. */
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
      return { words: 'Encrypted', transport, more: keys(status.epoch) };
    case 'closed':
      return { words: 'Closed', transport: '', more: 'The tunnel has ended.' };
    case 'refused':
      return { words: 'Refused', transport: '', more: 'The tunnel was refused.' };
    default:
      return status.state satisfies never;
  }
}

function keys(epoch: number): string {
  const times = epoch === 1 ? 'once' : `${epoch} times`;
  const renewed = epoch === 0 ? '' : ` Its keys were renewed ${times}.`;
  return `Post-quantum encryption from this tab to the gateway.${renewed}`;
}

/** Why a tunnel is over for good: what, why and what to do. */
interface Refusal {
  readonly heading: string;
  readonly sentence: string;
}

const ask = 'Ask your administrator';
const refusals: Readonly<Record<string, Refusal>> = {
  denied: { heading: 'You may not open this service', sentence: `No policy lets you open it any more. ${ask}.` },
  revoked: { heading: 'Your access was withdrawn', sentence: `This service is closed to you now. ${ask} why.` },
  posture: {
    heading: 'This device is not accepted',
    sentence: `It does not meet what the service asks of a device. ${ask} what is missing.`,
  },
  posture_stale: {
    heading: 'Open the service again',
    sentence: 'The report on this device has become too old. Opening the service from the hub makes a new one.',
  },
  lease_ended: {
    heading: 'Your sign-in has ended',
    sentence: 'It lasts for a working day. Sign in on the hub and open the service again.',
  },
  service_unknown: { heading: 'The service is gone', sentence: `It was removed or renamed. ${ask}.` },
  version: { heading: 'This page is out of date', sentence: 'The gateway speaks a newer protocol. Reload the page.' },
  suite: { heading: 'This page is out of date', sentence: 'The gateway speaks a newer protocol. Reload the page.' },
  downgrade: {
    heading: 'The connection was tampered with',
    sentence: 'Somebody between you and the gateway changed it, so it was ended. Try another network.',
  },
  bad_answer: {
    heading: 'Do not go on',
    sentence:
      'The server answered with documents that this installation did not sign. Nothing was sent to it. Tell your administrator.',
  },
  wasm: {
    heading: 'This browser cannot open the tunnel',
    sentence: 'WebAssembly is switched off or too old here. Use another browser.',
  },
};

/** For the panel over the app. */
export function refusal(reason: string | undefined): Refusal {
  return (
    refusals[reason ?? ''] ?? {
      heading: 'The tunnel was refused',
      sentence: 'The gateway did not accept this tab. Open the service again from the hub.',
    }
  );
}
