/**
 * Why a tunnel is over: what, why and what to do, for every code that can end one: CLOSE and REJECT of the protocol, the
 * control plane's answers to a renewal, and the Worker's own. A code without a text does not compile.
 */
import type { CloseCode } from '../../protocol/codes.ts';

export interface Refusal {
  readonly heading: string;
  readonly sentence: string;
  /** Opening the service once more may go better. */
  readonly again: boolean;
}

type OtherCode = 'posture_stale' | 'lease_ended' | 'service_unknown' | 'bad_answer' | 'wasm' | 'signed_out';

const once = (heading: string, sentence: string): Refusal => ({ heading, sentence, again: false });
const more = (heading: string, sentence: string): Refusal => ({ heading, sentence, again: true });

const outdated = more('This page is out of date', 'The gateway speaks a newer protocol. Open the service again.');
const broken = more(
  'The tunnel broke',
  'What arrived could not be read, so the tunnel was ended rather than believed. Open the service again.',
);

export const refusals: Readonly<Record<CloseCode | OtherCode, Refusal>> = {
  done: more('The tunnel is closed', 'It was ended in this tab. Open the service again to go on.'),
  version: outdated,
  suite: outdated,
  decode: broken,
  decrypt: broken,
  replay: broken,
  bad_svid: more(
    'The gateway did not accept this tab',
    'Its credential could not be verified. Open the service again.',
  ),
  expired: more('This opening has expired', 'Its credential was not renewed in time. Open the service again.'),
  revoked: once('Your access was withdrawn', 'This service is closed to you now. Ask your administrator why.'),
  denied: once('You may not open this service', 'No policy lets you open it any more. Ask your administrator.'),
  posture: once(
    'This device is not accepted',
    'It does not meet what the service asks of a device. Ask your administrator what is missing.',
  ),
  rekey_timeout: more('The tunnel was ended', 'Its keys could not be renewed in time. Open the service again.'),
  too_many: more('Too much at once', 'The gateway has more open than it allows. Close tabs that you do not need.'),
  idle: more('The tunnel was idle', 'Nothing was heard from this tab for too long. Open the service again.'),
  internal: more('The gateway failed', 'Something went wrong at the gateway. Try again in a moment.'),
  downgrade: more(
    'The connection was tampered with',
    'Somebody between you and the gateway changed it, so it was ended. Try another network.',
  ),
  going_away: more('The gateway is restarting', 'It closed the tunnel. Try again in a moment.'),
  stepup_required: more(
    'Your passkey is wanted again',
    'The service asks you to confirm that it is you. Open it again and confirm when you are asked.',
  ),
  posture_stale: more(
    'Open the service again',
    'The report on this device has become too old. Opening the service makes a new one.',
  ),
  lease_ended: more('Your sign-in has ended', 'It lasts for a working day. Sign in on the hub to go on.'),
  service_unknown: once('The service is gone', 'It was removed or renamed. Ask your administrator.'),
  bad_answer: once(
    'Do not go on',
    'The server answered with documents that this installation did not sign. Nothing was sent to it. Tell your administrator.',
  ),
  wasm: once(
    'This browser cannot open the tunnel',
    'WebAssembly is switched off or too old here. Use another browser.',
  ),
  signed_out: once('You are signed out', 'Everything that this sign-in had open is closed. You can close this tab.'),
};

/** For the panel over the app. */
export function refusal(reason: string): Refusal {
  const known: Readonly<Record<string, Refusal>> = refusals;
  const other = more('The tunnel was refused', 'The gateway did not accept this tab. Open the service again.');
  return Object.hasOwn(known, reason) ? (known[reason] ?? other) : other;
}
