/** Renewing the credential from the shell's own origin: the session key signs, nobody is asked (step 4 of the launch). */
import { base64url } from '../../protocol/bytes.ts';
import { renewChallenge } from '../../protocol/challenges.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { Crypto, Signer } from '../../protocol/crypto.ts';
import { TunnelFault } from '../api.ts';
import type { LaunchAnswer } from './credential.ts';

/** A control plane that holds the line and says nothing is as good as away. */
const limitMs = 8_000;

/** @throws TunnelFault with the control plane's code, or `offline` when it is away. */
export async function renewAnswer(
  serial: Uint8Array,
  key: Signer,
  crypto: Crypto,
  clock: Pick<Clock, 'now'>,
): Promise<LaunchAnswer> {
  const sessionKeyHash = crypto.sha256(key.publicKey);
  const time = clock.now();
  const signature = await key.sign(renewChallenge(crypto, { sessionKeyHash, serial, time }), 'Latchkey/1 renew');
  const response = await fetch('/api/renew', {
    method: 'POST',
    cache: 'no-store',
    signal: AbortSignal.timeout(limitMs),
    credentials: 'omit',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      sessionKeyHash: base64url(sessionKeyHash),
      serial: base64url(serial),
      time,
      signature: base64url(signature),
    }),
  }).catch(() => {
    throw new TunnelFault('offline', 'The control plane does not answer.');
  });
  const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (response.ok) return answer as unknown as LaunchAnswer;
  const correlation = answer['correlation'] === undefined ? undefined : String(answer['correlation']);
  throw new TunnelFault(
    String(answer['error'] ?? 'offline'),
    String(answer['message'] ?? 'Renewal failed.'),
    correlation,
  );
}
