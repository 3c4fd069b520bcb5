/**
 * Verifies what an authenticator made. The challenge comes from our own record; client data, RP id and flags are
 * checked here so that each refusal has a code of its own, and then everything again by @simplewebauthn/server, which
 * judges formats, attestation, counter and signature. That library's messages repeat challenges: they stay inside.
 */
import { X509Certificate } from 'node:crypto';
import {
  type AuthenticationResponseJSON,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { decodeAttestationObject, parseAuthenticatorData } from '@simplewebauthn/server/helpers';
import { base64url, equal, unbase64url, utf8 } from '../../protocol/bytes.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { type Authorities, longestChain } from './authorities.ts';

export type WebAuthnErrorCode =
  | 'format'
  | 'type'
  | 'challenge'
  | 'origin'
  | 'cross_origin'
  | 'rp'
  | 'user_verification'
  | 'backup_state'
  | 'user_handle'
  | 'signature';

/** A ceremony that must not be believed. The code goes to log and audit, never to the caller. */
export class WebAuthnError extends Error {
  readonly code: WebAuthnErrorCode;
  constructor(code: WebAuthnErrorCode, options?: ErrorOptions) {
    super(`webauthn: ${code}`, options);
    this.name = 'WebAuthnError';
    this.code = code;
  }
}

export interface RelyingParty {
  readonly rpId: string;
  /** The hub's, compared exactly. */
  readonly origin: string;
}

/** Whose word on authenticators counts, and when it is asked. */
export interface Makers {
  readonly authorities: Authorities;
  /** ms */
  readonly now: number;
}

export interface NewCredential {
  readonly id: string;
  readonly publicKey: Uint8Array;
  readonly counter: number;
  readonly aaguid: string;
  readonly transports: readonly string[];
  readonly backupEligible: boolean;
  readonly backedUp: boolean;
  readonly attestation: Attestation;
}

/** What an authenticator showed of its make (WebAuthn level 3, sections 6.5 and 8). */
export interface Attestation {
  /** Of its statement, which was verified in itself; `none` where there was none. */
  readonly format: string;
  /** It leads to an authority that the operator named. */
  readonly isAttested: boolean;
  /** All of it, for whoever judges it again; null where there was none. */
  readonly object: Uint8Array | null;
}

/** What we keep of a credential. */
export interface KnownCredential {
  readonly id: string;
  readonly publicKey: Uint8Array;
  readonly counter: number;
  readonly backupEligible: boolean;
  readonly userHandle: Uint8Array;
}

/** EdDSA, ES256, RS256, and ML-DSA-65 for the authenticators that will have it (COSE numbers). */
const algorithms = [-8, -7, -257, -49];

/** A new passkey. @throws WebAuthnError */
export async function verifyNewPasskey(
  rp: RelyingParty,
  response: RegistrationResponseJSON,
  challenge: Uint8Array,
  makers: Makers,
): Promise<NewCredential> {
  checkClientData(rp, response.response.clientDataJSON, 'webauthn.create', challenge);
  const shown = guarded('format', () => decodeAttestationObject(bufferOf(response.response.attestationObject)));
  const flags = checkAuthenticatorData(rp, shown.get('authData'));
  const chain = guarded('format', () => chainOf(shown));
  const verified = await guardedAsync('signature', () =>
    verifyRegistrationResponse({
      response,
      expectedChallenge: base64url(challenge),
      expectedOrigin: rp.origin,
      expectedRPID: rp.rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: algorithms,
    }),
  );
  if (!verified.verified) throw new WebAuthnError('signature');
  const { credential, aaguid, fmt: format } = verified.registrationInfo;
  return {
    id: credential.id,
    publicKey: new Uint8Array(credential.publicKey),
    counter: credential.counter,
    aaguid,
    transports: credential.transports ?? [],
    backupEligible: flags.be,
    backedUp: flags.bs,
    attestation: {
      format,
      isAttested: guarded('format', () => leadsToMaker(chain, makers)),
      object: format === 'none' ? null : bufferOf(response.response.attestationObject),
    },
  };
}

/** Formats whose statement is signed by the key of the chain's first certificate (WebAuthn level 3, sections 8.2 to 8.8). */
const withChain = ['packed', 'tpm', 'android-key', 'fido-u2f', 'apple'];

/** Before anything looks at it: a long chain holds the thread. Of other formats it proves nothing, and there is none. */
function chainOf(shown: ReturnType<typeof decodeAttestationObject>): readonly Uint8Array[] {
  const chain = shown.get('attStmt').get('x5c') ?? [];
  if (chain.length > longestChain) throw new RangeError('a chain too long');
  return withChain.includes(shown.get('fmt')) ? chain : [];
}

function leadsToMaker(chain: readonly Uint8Array[], { authorities, now }: Makers): boolean {
  if (!authorities.areNamed) return false;
  const [own, ...between] = chain.map((der) => new X509Certificate(der));
  return own !== undefined && authorities.vouchFor(own, between, now);
}

/** A passkey we know. @returns the counter and backup state to keep. @throws WebAuthnError */
export async function verifyPasskey(
  rp: RelyingParty,
  response: AuthenticationResponseJSON,
  challenge: Uint8Array,
  known: KnownCredential,
): Promise<{ readonly counter: number; readonly backedUp: boolean }> {
  checkClientData(rp, response.response.clientDataJSON, 'webauthn.get', challenge);
  const flags = checkAuthenticatorData(
    rp,
    guarded('format', () => bufferOf(response.response.authenticatorData)),
  );
  // Whether a passkey can be copied is a property it is born with.
  if (flags.be !== known.backupEligible) throw new WebAuthnError('backup_state');
  checkUserHandle(response.response.userHandle, known.userHandle);
  const verified = await guardedAsync('signature', () =>
    verifyAuthenticationResponse({
      response,
      expectedChallenge: base64url(challenge),
      expectedOrigin: rp.origin,
      expectedRPID: rp.rpId,
      requireUserVerification: true,
      credential: { id: known.id, publicKey: Uint8Array.from(known.publicKey), counter: known.counter },
    }),
  );
  if (!verified.verified) throw new WebAuthnError('signature');
  return { counter: verified.authenticationInfo.newCounter, backedUp: flags.bs };
}

function checkClientData(rp: RelyingParty, encoded: string, type: string, challenge: Uint8Array): void {
  const data = guarded('format', () => JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8')) as ClientData);
  if (typeof data !== 'object' || data === null) throw new WebAuthnError('format');
  if (data.type !== type) throw new WebAuthnError('type');
  if (data.origin !== rp.origin) throw new WebAuthnError('origin');
  // The hub frames nothing and is framed by nothing, so every frame is somebody else's.
  if (data.crossOrigin === true || data.topOrigin !== undefined) throw new WebAuthnError('cross_origin');
  const signed = guarded('challenge', () => unbase64url(String(data.challenge)));
  if (!equal(signed, challenge)) throw new WebAuthnError('challenge');
}

interface ClientData {
  readonly type?: unknown;
  readonly origin?: unknown;
  readonly challenge?: unknown;
  readonly crossOrigin?: unknown;
  readonly topOrigin?: unknown;
}

function checkAuthenticatorData(rp: RelyingParty, bytes: Uint8Array<ArrayBuffer>): { be: boolean; bs: boolean } {
  const { rpIdHash, flags } = guarded('format', () => parseAuthenticatorData(bytes));
  if (!equal(rpIdHash, nodeCrypto.sha256(utf8(rp.rpId)))) throw new WebAuthnError('rp');
  if (!flags.up || !flags.uv) throw new WebAuthnError('user_verification');
  if (flags.bs && !flags.be) throw new WebAuthnError('backup_state');
  return flags;
}

function checkUserHandle(given: string | undefined, known: Uint8Array): void {
  if (given === undefined || given === '') return;
  const handle = guarded('user_handle', () => unbase64url(given));
  if (!equal(handle, known)) throw new WebAuthnError('user_handle');
}

function bufferOf(text: string): Uint8Array<ArrayBuffer> {
  return unbase64url(text);
}

function guarded<T>(code: WebAuthnErrorCode, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new WebAuthnError(code, { cause: withoutMessage(cause) });
  }
}

async function guardedAsync<T>(code: WebAuthnErrorCode, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw new WebAuthnError(code, { cause: withoutMessage(cause) });
  }
}

/** The library's messages name the expected challenge, so only the kind of error is kept as a cause. */
function withoutMessage(cause: unknown): string {
  return cause instanceof Error ? cause.name : 'unknown';
}
