/**
 * Signing in at a SAML provider, from an enrolled browser, in three steps: the browser leaves with a request of ours; it
 * brings the provider's response, from the provider's page, so with no cookie and no signature of the device; it signs, by the
 * device key, the ticket it was given for that. A ceremony takes one response: an assertion names the request that it
 * answers, so it is good once.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { utf8 } from '../../../protocol/bytes.ts';
import { samlChallenge } from '../../../protocol/challenges.ts';
import { nodeCrypto } from '../../crypto/node-crypto.ts';
import type { CeremonyTable } from '../../store/tables/sessions.ts';
import { ApiError } from '../api-error.ts';
import { beginCeremony, begunAt, findCeremony } from '../ceremonies.ts';
import type { Context } from '../context.ts';
import { digestOf, newSecret } from '../identifiers.ts';
import type { IdpIdentity } from '../idp/identity.ts';
import { finishAtProvider, type ProviderBegun, type ProviderProof, personOf, personToSignIn } from '../idp/sign-in.ts';
import type { SignedIn } from '../leases.ts';
import type { Entered } from '../proof.ts';
import { auditingRefusal } from '../refusal.ts';
import type { SamlProvider } from './provider.ts';

/** What the ceremony remembers: digests of secrets, and, once a response was believed, who it named. */
interface Kept {
  readonly requestId: string;
  /** SHA-256 of the secret in RelayState, hex. */
  readonly relayHash: string;
  readonly answer?: { readonly ticketHash: string; readonly identity: IdpIdentity };
}

/** What a browser is handed in place of an answer that was not believed. */
export const refusedAnswer = 'refused';

/** @throws ApiError `device_unknown`, `device_waits`, `saml_weak` */
export async function beginSaml(
  context: Context,
  provider: SamlProvider,
  devicePublicKey: Uint8Array,
): Promise<ProviderBegun> {
  const person = await personToSignIn(context, devicePublicKey);
  const secret = newSecret();
  // An XML id does not begin with a digit.
  const kept: Kept = { requestId: `_${randomBytes(20).toString('hex')}`, relayHash: hashOf(secret) };
  const ceremony = await beginCeremony(context, {
    kind: 'saml',
    user_id: person.user_id,
    device_id: person.device_id,
    idp: JSON.stringify(kept),
  });
  const relayState = `${ceremony.id}.${secret}`;
  const flow = { requestId: kept.requestId, relayState, begunAt: begunAt(ceremony) };
  const url = await provider.begin(flow, context.clock.now());
  return { url: url.href, nonce: ceremony.nonce, userHandle: person.handle };
}

/**
 * Takes the provider's response from whichever browser brings it.
 * @param relayState which sign-in it says it belongs to; it names nothing else, least of all an address
 * @returns what that browser has to sign. @throws ApiError `ceremony_unknown`, `saml_refused`, `saml_weak`
 */
export async function takeResponse(
  context: Context,
  provider: SamlProvider,
  { response, relayState }: { readonly response: string; readonly relayState: string },
): Promise<string> {
  const [id = '', secret = ''] = relayState.split('.');
  const ceremony = await findCeremony(context, 'saml', id);
  const kept = keptOf(ceremony);
  if (!isSecret(kept.relayHash, secret) || kept.answer !== undefined) throw new ApiError('ceremony_unknown');
  const { attempt } = await personOf(context, ceremony);
  const flow = { requestId: kept.requestId, relayState, begunAt: begunAt(ceremony) };
  const identity = await auditingRefusal(context, ceremony.id, attempt, () =>
    provider.verify(response, flow, context.clock.now()),
  );
  const ticket = newSecret();
  await keepAnswer(context, ceremony, { ...kept, answer: { ticketHash: hashOf(ticket), identity } });
  return `${id}.${ticket}`;
}

/** Of any number of responses that come at once exactly one is kept. @throws ApiError `ceremony_unknown` */
async function keepAnswer(context: Context, { id, idp }: CeremonyTable, kept: Kept): Promise<void> {
  const { numUpdatedRows } = await context.store
    .updateTable('ceremonies')
    .set({ idp: JSON.stringify(kept) })
    .where('id', '=', id)
    .where('idp', '=', idp)
    .where('spent_at', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw new ApiError('ceremony_unknown');
}

/**
 * @param proof its answer as {@link takeResponse} returned it, or {@link refusedAnswer}
 * @param signedIn who is signed in in this browser, if anybody: the identity is tied to them where it is nobody's
 * @throws ApiError `ceremony_unknown`, `device_signature`, `saml_refused`, `idp_unlinked`, `idp_other`
 */
export async function finishSaml(
  context: Context,
  signedIn: SignedIn | undefined,
  proof: ProviderProof,
): Promise<Entered> {
  if (proof.answer === refusedAnswer) throw new ApiError('saml_refused');
  const [id = '', ticket = ''] = proof.answer.split('.');
  const ceremony = await findCeremony(context, 'saml', id);
  const { answer } = keptOf(ceremony);
  if (answer === undefined || !isSecret(answer.ticketHash, ticket)) throw new ApiError('ceremony_unknown');
  return finishAtProvider(context, signedIn, {
    ...{ protocol: 'saml', ceremony, proof },
    challenge: (device, { hash: postureHash }) => {
      const answerHash = nodeCrypto.sha256(utf8(proof.answer));
      const { rpId } = context.config;
      return samlChallenge(nodeCrypto, { ...device, rpId, nonce: ceremony.nonce, postureHash, answerHash });
    },
    identify: async () => answer.identity,
  });
}

function keptOf({ idp }: CeremonyTable): Kept {
  return JSON.parse(idp ?? '') as Kept;
}

function hashOf(secret: string): string {
  return Buffer.from(digestOf(secret)).toString('hex');
}

function isSecret(hash: string, secret: string): boolean {
  return timingSafeEqual(Buffer.from(hash, 'hex'), digestOf(secret));
}
