/**
 * What every sign-in at a provider elsewhere has in common: it is by an enrolled browser, whose device key says where it was.
 * A provider adds no device and replaces no passkey: its identity is tied to a person while they are signed in by their
 * passkey, and a lease it opens lacks the passkey's bit, which devices, links, approvals and audit ask for.
 */
import { base64url, utf8 } from '../../../protocol/bytes.ts';
import { amrBit } from '../../../protocol/svid.ts';
import { nodeCrypto } from '../../crypto/node-crypto.ts';
import type { CeremonyTable } from '../../store/tables/sessions.ts';
import type { StoreTransaction } from '../../store/tables.ts';
import { ApiError } from '../api-error.ts';
import { spendCeremony } from '../ceremonies.ts';
import type { Context, Evidence } from '../context.ts';
import { ceremonyEvidence } from '../evidence.ts';
import { deviceHolder } from '../holder.ts';
import { newEvent } from '../identifiers.ts';
import { openLease, type SignedIn, spiffeIdOf } from '../leases.ts';
import { type DevicePerson, personOnDevice } from '../login.ts';
import { type Posture, postureDetail, verifyPosture } from '../posture.ts';
import { checkDeviceSignature, type Entered, type SignedPosture } from '../proof.ts';
import { type Attempt, auditingRefusal, refusedAtTheDoor } from '../refusal.ts';
import type { IdpIdentity, IdpProtocol } from './identity.ts';

/** Where the person signs in, and what the challenge is computed from afterwards. */
export interface ProviderBegun {
  readonly url: string;
  readonly nonce: Uint8Array;
  readonly userHandle: Uint8Array;
}

/** What the browser that began hands in with the provider's answer. */
export interface ProviderProof {
  /** Of OpenID Connect the query of the address it was sent back to, without its question mark; of SAML a ticket for the response. */
  readonly answer: string;
  readonly deviceSignature: Uint8Array;
  readonly posture: SignedPosture;
}

/** One sign-in that comes to its end. */
export interface ProviderReturn {
  readonly protocol: IdpProtocol;
  readonly ceremony: CeremonyTable;
  readonly proof: ProviderProof;
  /** What the device key has to have signed. */
  readonly challenge: (
    device: { readonly deviceKeyHash: Uint8Array; readonly userHandle: Uint8Array },
    posture: Posture,
  ) => Uint8Array;
  /** Asks the provider, or its answer, who it was. */
  readonly identify: () => Promise<IdpIdentity>;
}

/**
 * Groups of a provider stand beside ours and are never one of them (ours have no slash), nor is one provider's the other's:
 * what policies give to the groups of the one is not to be had by taking over the other.
 */
const groupPrefix: Record<IdpProtocol, string> = { oidc: 'idp/', saml: 'saml/' };

/** The person of an enrolled browser, who alone may begin. @throws ApiError `device_unknown`, `device_waits` */
export async function personToSignIn(context: Context, devicePublicKey: Uint8Array): Promise<DevicePerson> {
  const person = await personOnDevice(context, { devicePublicKey });
  if (person === undefined || person.link_id !== null)
    return refusedAtTheDoor(context, 'login', new ApiError('device_unknown'));
  if (person.approved_at === null) return refusedAtTheDoor(context, 'login', new ApiError('device_waits'));
  return person;
}

/** The person whose browser began a ceremony, and how their attempt is audited. @throws ApiError `device_unknown` */
export async function personOf(
  context: Context,
  ceremony: CeremonyTable,
): Promise<{ readonly person: DevicePerson; readonly attempt: Attempt }> {
  const person = await personOnDevice(context, { device: ceremony.device_id ?? '' });
  if (person === undefined || person.approved_at === null) throw new ApiError('device_unknown');
  const actor = spiffeIdOf(context.config, person);
  return { person, attempt: { type: 'login', actor, subject: person.user_id } };
}

/**
 * @param signedIn who is signed in in this browser, if anybody: the identity is tied to them where it is nobody's
 * @throws ApiError `ceremony_unknown`, `device_signature`, `idp_unlinked`, `idp_other`, and what `identify` throws
 */
export async function finishAtProvider(
  context: Context,
  signedIn: SignedIn | undefined,
  returned: ProviderReturn,
): Promise<Entered> {
  const { protocol, ceremony } = returned;
  const { person, attempt } = await personOf(context, ceremony);
  const { actor } = attempt;
  const checked = await auditingRefusal(context, ceremony.id, attempt, async () => {
    const posture = checkDevice(context, person, returned);
    const identity = await returned.identify();
    const isKnown = await isLinked(context, protocol, identity, person);
    if (!isKnown && !mayLink(signedIn, person)) throw new ApiError('idp_unlinked');
    return { posture, identity, isKnown };
  });
  const { posture, identity, isKnown } = checked;
  return context.audit.transact(async (transaction) => {
    await spendCeremony(context, transaction, ceremony.id);
    const signed = providerEvidence(ceremony, posture, returned.proof);
    if (!isKnown) await link(context, transaction, { protocol, identity, person, actor, signed });
    await keepGroups(transaction, protocol, person.user_id, identity.groups);
    const { groups, until, ...idp } = identity;
    const amr = amrBit[protocol] | amrBit.deviceKey;
    const of = { user: person.user_id, device: person.device_id, posture, amr, until, idp };
    const leaseSecret = await openLease(context, transaction, of);
    const detail = { by: protocol, groups: groups.length, ...(idp.acr !== undefined && { acr: idp.acr }) };
    await context.audit.record(
      transaction,
      newEvent(context, { type: 'posture', actor, detail: postureDetail(context.clock.now(), posture, null) }),
      newEvent(context, { ...attempt, decision: 'allow', detail: { ...detail, amr: idp.amr.join(' '), ...signed } }),
    );
    return { user: { id: person.user_id, name: person.name }, device: { id: person.device_id }, leaseSecret };
  });
}

/** The browser that began signs what came back, so an answer that was put into another browser is worth nothing. */
function checkDevice(context: Context, person: DevicePerson, { proof, challenge }: ProviderReturn): Posture {
  const holder = deviceHolder(person.public_key);
  const posture = verifyPosture(context, proof.posture.statement, proof.posture.signature, holder);
  const device = { deviceKeyHash: holder.keyHash, userHandle: person.handle };
  checkDeviceSignature(holder, challenge(device, posture), proof.deviceSignature);
  return posture;
}

/** Of a sign-in at a provider: `oidcChallenge`, `samlChallenge`, of which the answer's SHA-256 is a part. */
function providerEvidence(
  ceremony: CeremonyTable,
  posture: Posture,
  { answer, deviceSignature }: ProviderProof,
): Evidence {
  const answered = { 'signed.answer': base64url(nodeCrypto.sha256(utf8(answer))) };
  return { ...ceremonyEvidence(ceremony, posture, deviceSignature), ...answered };
}

/** By which name an identity is kept: a provider may use one issuer for both protocols, with other subjects in each. */
function issuerKey(protocol: IdpProtocol, { issuer }: IdpIdentity): string {
  return protocol === 'oidc' ? issuer : `${protocol} ${issuer}`;
}

/** @throws ApiError `idp_other` where the identity is somebody else's */
async function isLinked(
  context: Context,
  protocol: IdpProtocol,
  identity: IdpIdentity,
  person: DevicePerson,
): Promise<boolean> {
  const row = await context.store
    .selectFrom('identities')
    .select('user_id')
    .where('issuer', '=', issuerKey(protocol, identity))
    .where('subject', '=', identity.subject)
    .executeTakeFirst();
  if (row !== undefined && row.user_id !== person.user_id) throw new ApiError('idp_other');
  return row !== undefined;
}

/** Only who is here by their passkey says that an identity elsewhere is theirs. */
function mayLink(signedIn: SignedIn | undefined, { device_id }: DevicePerson): boolean {
  return signedIn !== undefined && signedIn.device === device_id && (signedIn.amr & amrBit.passkey) !== 0;
}

interface Linking {
  readonly protocol: IdpProtocol;
  readonly identity: IdpIdentity;
  readonly person: DevicePerson;
  readonly actor: string;
  readonly signed: Evidence;
}

async function link(
  context: Context,
  transaction: StoreTransaction,
  { protocol, identity, person: { user_id }, actor, signed }: Linking,
): Promise<void> {
  const { subject } = identity;
  const issuer = issuerKey(protocol, identity);
  await transaction
    .insertInto('identities')
    .values({ issuer, subject, user_id, created_at: context.clock.now() })
    .execute();
  const detail = { operation: 'identity.link', issuer, identity: subject, ...signed };
  await context.audit.record(transaction, newEvent(context, { type: 'admin', actor, subject: user_id, detail }));
}

/** Those of the last sign-in, and no others of this provider's; the other's are not touched. */
async function keepGroups(
  transaction: StoreTransaction,
  protocol: IdpProtocol,
  user: string,
  groups: readonly string[],
): Promise<void> {
  const prefix = groupPrefix[protocol];
  await transaction
    .deleteFrom('user_groups')
    .where('user_id', '=', user)
    .where('group_name', 'like', `${prefix}%`)
    .execute();
  const rows = [...new Set(groups)].map((name) => ({ user_id: user, group_name: `${prefix}${name}` }));
  if (rows.length > 0) await transaction.insertInto('user_groups').values(rows).execute();
}
