/**
 * What stands in the audit event of an act, so that whoever has the public keys can show later who did it (QZ-23): the
 * device key's signature, and what it was made over as far as store and event do not have it already (docs/protocol.md,
 * "Challenges"). Public values and spent nonces alone. A kiosk's guest proves themselves by a MAC under the link's
 * secret, which shows nothing to others: of them there is none.
 */
import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import { base64url } from '../../protocol/bytes.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { Evidence } from './context.ts';
import type { Posture } from './posture.ts';
import type { SignedRequest } from './signed-request.ts';

/** Of a request that changed something: `requestMessage`. */
export function requestEvidence({ method, target, body, nonce, time, signature }: SignedRequest): Evidence {
  return {
    'signed.method': method,
    'signed.target': target,
    'signed.digest': base64url(nodeCrypto.sha256(body)),
    'signed.nonce': base64url(nonce),
    'signed.time': time,
    'signed.signature': base64url(signature),
  };
}

/** Of an enrolment, a sign-in or a launch: `enrolChallenge`, `loginChallenge`, `launchChallenge`. */
export function ceremonyEvidence(
  { nonce }: { readonly nonce: Uint8Array },
  posture: Pick<Posture, 'hash'>,
  signature: Uint8Array,
): Evidence {
  return {
    'signed.nonce': base64url(nonce),
    'signed.posture': base64url(posture.hash),
    'signed.signature': base64url(signature),
  };
}

/** The passkey's own word (WebAuthn level 3, section 6.3.3). */
export function passkeyEvidence({ response }: AuthenticationResponseJSON): Evidence {
  return {
    'signed.clientData': response.clientDataJSON,
    'signed.authenticatorData': response.authenticatorData,
    'signed.passkey': response.signature,
  };
}
