/**
 * Signing in at an OpenID or SAML provider, beside the passkey: there and back in this tab. What came back is signed by this
 * browser's device key, so it is worth nothing in another one.
 */
import { utf8 } from '../../protocol/bytes.ts';
import { deviceMessage, oidcChallenge, samlChallenge } from '../../protocol/challenges.ts';
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
const keptAs = 'latchkey-provider';

export interface Provider {
  readonly protocol: 'oidc' | 'saml';
  readonly name: string;
}

export async function loadProviders(): Promise<readonly Provider[]> {
  return (await call<{ providers: Provider[] }>('GET', '/api/providers')).providers;
}

/** Leaves for the provider's page. @throws ApiError */
export async function leaveForProvider(device: Device, { protocol }: Provider): Promise<void> {
  const body = JSON.stringify({ devicePublicKey: encode(device.publicKey) });
  const begun = await call<Begun>('POST', `/api/${protocol}/begin`, body);
  sessionStorage.setItem(keptAs, JSON.stringify(begun));
  location.assign(begun.url);
}

/** What this tab came back from a provider with. */
export interface ProviderAnswer {
  readonly protocol: Provider['protocol'];
  /** The provider's query, or the hub's ticket for a SAML response. */
  readonly text: string;
}

/** It is taken out of the address; undefined where no provider sent this tab here. */
export function takeAnswer(): ProviderAnswer | undefined {
  const { pathname, search, hash: fragment } = location;
  const answer = (
    {
      '/oidc/callback': { protocol: 'oidc', text: search.slice(1) },
      '/saml/callback': { protocol: 'saml', text: fragment.slice(1) },
    } as const satisfies Record<string, ProviderAnswer>
  )[pathname];
  if (answer !== undefined) history.replaceState(null, '', '/');
  return answer;
}

/** @throws ApiError */
export async function finishAtHub(device: Device, { protocol, text }: ProviderAnswer): Promise<void> {
  const kept = sessionStorage.getItem(keptAs);
  sessionStorage.removeItem(keptAs);
  if (kept === null) throw new ApiError('ceremony_unknown', 'This sign-in was begun elsewhere. Start again.', 0);
  const { nonce, userHandle, rpId } = JSON.parse(kept) as Begun;
  const posture = await signedPosture(device);
  const binding = {
    rpId,
    nonce: decode(nonce),
    deviceKeyHash: hash.sha256(device.publicKey),
    userHandle: decode(userHandle),
    postureHash: posture.hash,
  };
  const textHash = hash.sha256(utf8(text));
  const challenge =
    protocol === 'oidc'
      ? oidcChallenge(hash, { ...binding, queryHash: textHash })
      : samlChallenge(hash, { ...binding, answerHash: textHash });
  const signature = await signAsDevice(device, Uint8Array.from(deviceMessage(challenge)));
  const body = { answer: text, deviceSignature: encode(signature), posture: posture.json };
  await call('POST', `/api/${protocol}/finish`, JSON.stringify(body));
}
