/**
 * Signing in at an OpenID provider, beside the passkey: there and back in this tab. What came back is signed by this browser's
 * device key, so it is worth nothing in another one.
 */
import { utf8 } from '../../protocol/bytes.ts';
import { deviceMessage, oidcChallenge } from '../../protocol/challenges.ts';
import { ApiError, call, decode, encode } from './api.ts';
import { type Device, signAsDevice } from './device.ts';
import { hash } from './hash.ts';
import { signedPosture } from './posture.ts';

interface Begun {
  readonly url: string;
  readonly nonce: string;
  readonly userHandle: string;
  readonly rpId: string;
}

/** Between the way there and the way back; of this tab alone, and no secret. */
const keptAs = 'latchkey-oidc';

/** What the provider is called; undefined without one. */
export async function providerName(): Promise<string | undefined> {
  return (await call<{ name: string | null }>('GET', '/api/oidc')).name ?? undefined;
}

/** Leaves for the provider's page. @throws ApiError */
export async function leaveForProvider(device: Device): Promise<void> {
  const body = JSON.stringify({ devicePublicKey: encode(device.publicKey) });
  const begun = await call<Begun>('POST', '/api/oidc/begin', body);
  sessionStorage.setItem(keptAs, JSON.stringify(begun));
  location.assign(begun.url);
}

/** The query that the provider sent this tab back with, taken out of the address; undefined where it did not. */
export function takeAnswer(): string | undefined {
  if (location.pathname !== '/oidc/callback') return undefined;
  const query = location.search.slice(1);
  history.replaceState(null, '', '/');
  return query;
}

/** @throws ApiError */
export async function finishAtHub(device: Device, query: string): Promise<void> {
  const kept = sessionStorage.getItem(keptAs);
  sessionStorage.removeItem(keptAs);
  if (kept === null) throw new ApiError('ceremony_unknown', 'This sign-in was begun elsewhere. Start again.', 0);
  const { nonce, userHandle, rpId } = JSON.parse(kept) as Begun;
  const posture = await signedPosture(device);
  const challenge = oidcChallenge(hash, {
    rpId,
    nonce: decode(nonce),
    deviceKeyHash: hash.sha256(device.publicKey),
    userHandle: decode(userHandle),
    postureHash: posture.hash,
    queryHash: hash.sha256(utf8(query)),
  });
  const signature = await signAsDevice(device, Uint8Array.from(deviceMessage(challenge)));
  const body = { query, deviceSignature: encode(signature), posture: posture.json };
  await call('POST', '/api/oidc/finish', JSON.stringify(body));
}
