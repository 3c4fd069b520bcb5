/** Enrolment: an enrolment link becomes a passkey and a device key of this browser (docs/protocol.md, "Challenges"). */
import { type PublicKeyCredentialCreationOptionsJSON, startRegistration } from '@simplewebauthn/browser';
import { deviceMessage, enrolChallenge } from '../../protocol/challenges.ts';
import { ApiError, call, decode, encode, type Person } from './api.ts';
import { makeDeviceKeys, saveDevice, signAsDevice } from './device.ts';
import { hash } from './hash.ts';
import { signedPosture } from './posture.ts';

/** What the fragment of an enrolment link holds. It never reaches a server as part of an address. */
export interface EnrolmentLink {
  readonly token: string;
  readonly pins: Uint8Array<ArrayBuffer>;
}

/** @param fragment `#token.fingerprint`. @throws ApiError `enrolment_malformed` */
export function parseLink(fragment: string): EnrolmentLink {
  const match = /^#([A-Za-z0-9_-]{16,256})\.([A-Za-z0-9_-]{43})$/.exec(fragment);
  if (match?.[1] === undefined || match[2] === undefined)
    throw new ApiError(
      'enrolment_malformed',
      'This enrolment link is incomplete. Open the whole link, or ask your administrator for a new one.',
      0,
    );
  return { token: match[1], pins: decode(match[2]) };
}

interface Begun {
  readonly ceremony: string;
  readonly nonce: string;
  readonly user: { id: string; name: string; handle: string };
  readonly rp: { id: string; name: string };
  readonly attestation: 'none' | 'direct';
}

/** Makes passkey and device key, and keeps the device once the control plane accepted both. */
export function enrol(link: EnrolmentLink): Promise<Person> {
  return joinBy('/api/enrol', { token: link.token }, link.pins);
}

/** @param door where it begins and finishes. @param ticket what lets this browser in */
export async function joinBy(door: string, ticket: object, pins: Uint8Array<ArrayBuffer>): Promise<Person> {
  const begun = await call<Begun>('POST', `${door}/begin`, JSON.stringify(ticket));
  const keys = await makeDeviceKeys();
  const posture = await signedPosture(keys);
  const challenge = enrolChallenge(hash, {
    rpId: begun.rp.id,
    nonce: decode(begun.nonce),
    deviceKeyHash: hash.sha256(keys.publicKey),
    userHandle: decode(begun.user.handle),
    postureHash: posture.hash,
  });
  const credential = await startRegistration({ optionsJSON: creationOptions(begun, encode(challenge)) });
  const signature = await signAsDevice(keys, Uint8Array.from(deviceMessage(challenge)));
  const { user } = await call<{ user: Person }>(
    'POST',
    `${door}/finish`,
    JSON.stringify({
      ceremony: begun.ceremony,
      devicePublicKey: encode(keys.publicKey),
      deviceSignature: encode(signature),
      posture: posture.json,
      credential,
    }),
  );
  await saveDevice({ id: 'this', ...keys, user, pins });
  return user;
}

/** EdDSA, ES256, RS256: what authenticators have, best first. */
const algorithms = [-8, -7, -257];

function creationOptions(begun: Begun, challenge: string): PublicKeyCredentialCreationOptionsJSON {
  return {
    challenge,
    rp: begun.rp,
    user: { id: begun.user.handle, name: begun.user.name, displayName: begun.user.name },
    pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key', alg })),
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
    attestation: begun.attestation,
    timeout: 120_000,
  };
}
