/**
 * What passkeys, device keys and session keys sign outside the tunnel (docs/protocol.md, "Challenges").
 * Each side computes these from its own record and never signs bytes that the network supplied: every challenge names
 * its ceremony, its relying party and the keys it binds. Hashes of public things are arguments, because the side that
 * computes often holds only the hash.
 */
import { assertLength, utf8, Writer } from './bytes.ts';
import type { Crypto } from './crypto.ts';
import { tag, tagged } from './labels.ts';
import { hashBytes, serialBytes } from './limits.ts';

type Hash = Pick<Crypto, 'sha256'>;

/** What all WebAuthn challenges bind. */
export type CeremonyBinding = {
  readonly rpId: string;
  /** 32 bytes of the control plane, good once; at a step-up the gateway asks it for them. */
  readonly nonce: Uint8Array;
  /** SHA-256 of the device's Ed25519 key; of the link id for a guest. */
  readonly deviceKeyHash: Uint8Array;
  readonly userHandle: Uint8Array;
};

export type LoginBinding = CeremonyBinding & {
  /** SHA-256 of the posture statement. */
  readonly postureHash: Uint8Array;
};

/** Signing in with a passkey that exists. */
export function loginChallenge(crypto: Hash, binding: LoginBinding): Uint8Array {
  return crypto.sha256(tagged(tag.login, ...ceremony(crypto, binding), hash('postureHash', binding.postureHash)));
}

/** Making a passkey. */
export function enrolChallenge(crypto: Hash, binding: LoginBinding): Uint8Array {
  return crypto.sha256(tagged(tag.enrol, ...ceremony(crypto, binding), hash('postureHash', binding.postureHash)));
}

/** Step-up inside the tunnel. @param exporter `exporter("webauthn", nonce)` of the epoch it was asked in (after RFC 9266). */
export function stepupChallenge(
  crypto: Hash,
  binding: CeremonyBinding & { readonly exporter: Uint8Array },
): Uint8Array {
  return crypto.sha256(tagged(tag.stepup, ...ceremony(crypto, binding), hash('exporter', binding.exporter)));
}

/** An administrator's yes to a change that takes two. @param documentHash SHA-256 of the document that was shown */
export function approvalChallenge(
  crypto: Hash,
  binding: CeremonyBinding & { readonly documentHash: Uint8Array },
): Uint8Array {
  return crypto.sha256(tagged(tag.approve, ...ceremony(crypto, binding), hash('documentHash', binding.documentHash)));
}

/**
 * Signing in at an OpenID provider; signed by the device key.
 * @param queryHash SHA-256 of the query that the provider sent the browser back with: its code, state and issuer
 */
export function oidcChallenge(crypto: Hash, binding: LoginBinding & { readonly queryHash: Uint8Array }): Uint8Array {
  const { postureHash, queryHash } = binding;
  return crypto.sha256(
    tagged(tag.oidc, ...ceremony(crypto, binding), hash('postureHash', postureHash), hash('queryHash', queryHash)),
  );
}

/**
 * Signing in at a SAML provider; signed by the device key.
 * @param answerHash SHA-256 of what the browser was handed when it brought the provider's response: which ceremony, and a ticket
 */
export function samlChallenge(crypto: Hash, binding: LoginBinding & { readonly answerHash: Uint8Array }): Uint8Array {
  const { postureHash, answerHash } = binding;
  return crypto.sha256(
    tagged(tag.saml, ...ceremony(crypto, binding), hash('postureHash', postureHash), hash('answerHash', answerHash)),
  );
}

export type LaunchBinding = LoginBinding & {
  /** SHA-256 of the composite session key that asks for a credential. */
  readonly sessionKeyHash: Uint8Array;
  /** 16 bytes: the login lease this launch rests on. */
  readonly lease: Uint8Array;
  readonly service: string;
};

/** Endorsing one session key for one service; signed by the device key and by the session key. */
export function launchChallenge(crypto: Hash, binding: LaunchBinding): Uint8Array {
  assertLength('lease', binding.lease, 16);
  const service = new Writer().vec8(utf8(binding.service)).done();
  return crypto.sha256(
    tagged(
      tag.launch,
      ...ceremony(crypto, binding),
      hash('sessionKeyHash', binding.sessionKeyHash),
      binding.lease,
      service,
      hash('postureHash', binding.postureHash),
    ),
  );
}

export type RenewBinding = {
  readonly sessionKeyHash: Uint8Array;
  /** Serial of the credential being renewed. */
  readonly serial: Uint8Array;
  /** ms since 1970 */
  readonly time: number;
};

/** Renewing a credential while its launch lease lasts; signed by the session key. */
export function renewChallenge(crypto: Hash, binding: RenewBinding): Uint8Array {
  assertLength('serial', binding.serial, serialBytes);
  const time = new Writer().u64(binding.time).done();
  return crypto.sha256(tagged(tag.renew, hash('sessionKeyHash', binding.sessionKeyHash), binding.serial, time));
}

/** What the device key signs at login, enrolment and launch: `"Latchkey/1 device" | 00 | challenge`. */
export function deviceMessage(challenge: Uint8Array): Uint8Array {
  return tagged(tag.device, hash('challenge', challenge));
}

/**
 * What the device key signs on each request that changes something.
 * @param path path and query exactly as in the request line. @param bodyDigest SHA-256 of the body.
 */
export function requestMessage(
  method: string,
  path: string,
  bodyDigest: Uint8Array,
  nonce: Uint8Array,
  timeMs: number,
): Uint8Array {
  assertLength('nonce', nonce, 16);
  const fields = new Writer().vec16(utf8(method)).vec16(utf8(path));
  return tagged(tag.request, fields.bytes(hash('bodyDigest', bodyDigest)).bytes(nonce).u64(timeMs).done());
}

/** What the device key signs of the posture statement, whose bytes stay as the client wrote them. */
export function postureMessage(statement: Uint8Array): Uint8Array {
  return tagged(tag.posture, statement);
}

/** `H(rp id) | nonce | H(device pk) | H(user handle)` */
function ceremony(crypto: Hash, binding: CeremonyBinding): Uint8Array[] {
  return [
    crypto.sha256(utf8(binding.rpId)),
    hash('nonce', binding.nonce),
    hash('deviceKeyHash', binding.deviceKeyHash),
    crypto.sha256(binding.userHandle),
  ];
}

/** Fixed lengths keep the concatenation unambiguous. */
function hash(name: string, value: Uint8Array): Uint8Array {
  assertLength(name, value, hashBytes);
  return value;
}
