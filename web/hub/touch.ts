/** A touch of a passkey: asked for by the hub alone, and always with the person verified. */
import { type AuthenticationResponseJSON, startAuthentication } from '@simplewebauthn/browser';
import { encode } from './api.ts';

export interface Touch {
  readonly challenge: Uint8Array;
  readonly rpId: string;
  /** Any one of these. */
  readonly credentialIds: readonly string[];
  /** How long the person has. */
  readonly timeout: number;
}

/** @throws the DOMException of the authenticator */
export function touchPasskey({ challenge, credentialIds, ...asked }: Touch): Promise<AuthenticationResponseJSON> {
  return startAuthentication({
    optionsJSON: {
      ...asked,
      challenge: encode(challenge),
      allowCredentials: credentialIds.map((id) => ({ id, type: 'public-key' })),
      userVerification: 'required',
    },
  });
}
