/** Signing in with this browser's passkey and device key. */
import { deviceMessage, loginChallenge } from '../../protocol/challenges.ts';
import { call, decode, encode, type SessionInfo } from './api.ts';
import { type Device, signAsDevice } from './device.ts';
import { hash } from './hash.ts';
import { signedPosture } from './posture.ts';
import { touchPasskey } from './touch.ts';

interface Begun {
  readonly ceremony: string;
  readonly nonce: string;
  readonly rp?: { readonly id: string };
  readonly rpId?: string;
  readonly user: { readonly handle: string; readonly name: string };
  readonly credentialIds: readonly string[];
}

/** @throws ApiError, or the DOMException of the authenticator. */
export async function signIn(device: Device): Promise<SessionInfo> {
  const begun = await call<Begun>(
    'POST',
    '/api/login/begin',
    JSON.stringify({ devicePublicKey: encode(device.publicKey) }),
  );
  const posture = await signedPosture(device);
  const rpId = begun.rp?.id ?? begun.rpId ?? location.hostname;
  const challenge = loginChallenge(hash, {
    rpId,
    nonce: decode(begun.nonce),
    deviceKeyHash: hash.sha256(device.publicKey),
    userHandle: decode(begun.user.handle),
    postureHash: posture.hash,
  });
  const credential = await touchPasskey({ challenge, rpId, credentialIds: begun.credentialIds, timeout: 120_000 });
  const signature = await signAsDevice(device, Uint8Array.from(deviceMessage(challenge)));
  await call(
    'POST',
    '/api/login/finish',
    JSON.stringify({
      ceremony: begun.ceremony,
      deviceSignature: encode(signature),
      posture: posture.json,
      credential,
    }),
  );
  return call<SessionInfo>('GET', '/api/session');
}
