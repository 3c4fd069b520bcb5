/**
 * Signing in at an OpenID provider, from an enrolled browser: the provider says who it was, the device key says where.
 * The provider adds no device and replaces no passkey: its identity is tied to a person while they are signed in by their
 * passkey, and a lease it opens lacks the passkey's bit, which devices, links, approvals and audit ask for.
 */
import { timingSafeEqual } from 'node:crypto';
import { utf8 } from '../../../protocol/bytes.ts';
import { oidcChallenge } from '../../../protocol/challenges.ts';
import { amrBit } from '../../../protocol/svid.ts';
import { nodeCrypto } from '../../crypto/node-crypto.ts';
import type { StoreTransaction } from '../../store/tables.ts';
import { ApiError } from '../api-error.ts';
import { beginCeremony, findCeremony, spendCeremony } from '../ceremonies.ts';
import type { Context } from '../context.ts';
import { deviceHolder } from '../holder.ts';
import { digestOf, newEvent, newSecret } from '../identifiers.ts';
import { openLease, type SignedIn, spiffeIdOf } from '../leases.ts';
import { type DevicePerson, personOnDevice } from '../login.ts';
import { postureDetail, verifyPosture } from '../posture.ts';
import { checkDeviceSignature, type Entered, type SignedPosture } from '../proof.ts';
import { auditingRefusal, refusedAtTheDoor } from '../refusal.ts';
import type { OidcFlow, OidcIdentity, OidcProvider } from './provider.ts';

export interface OidcBegun {
  /** Where the person signs in. */
  readonly url: string;
  readonly nonce: Uint8Array;
  readonly userHandle: Uint8Array;
}

/** Groups of the provider stand beside ours and are never one of them. */
const groupPrefix = 'idp/';

/** @throws ApiError `device_unknown`, `device_waits`, `oidc_unreachable`, `oidc_weak` */
export async function beginOidc(
  context: Context,
  provider: OidcProvider,
  devicePublicKey: Uint8Array,
): Promise<OidcBegun> {
  const person = await personOnDevice(context, { devicePublicKey });
  if (person === undefined || person.link_id !== null)
    return refusedAtTheDoor(context, 'login', new ApiError('device_unknown'));
  if (person.approved_at === null) return refusedAtTheDoor(context, 'login', new ApiError('device_waits'));
  const [secret, nonce, verifier] = [newSecret(), newSecret(), newSecret()];
  const { id, nonce: ceremonyNonce } = await beginCeremony(context, {
    kind: 'oidc',
    user_id: person.user_id,
    device_id: person.device_id,
    oidc: JSON.stringify({ secretHash: Buffer.from(digestOf(secret)).toString('hex'), nonce, verifier }),
  });
  const url = await provider.begin({ state: `${id}.${secret}`, nonce, verifier });
  return { url: url.href, nonce: ceremonyNonce, userHandle: person.handle };
}

export interface OidcProof {
  /** The query of the address that the provider sent the browser back to, without its question mark. */
  readonly query: string;
  readonly deviceSignature: Uint8Array;
  readonly posture: SignedPosture;
}

/**
 * @param signedIn who is signed in in this browser, if anybody: the identity is tied to them where it is nobody's
 * @throws ApiError `ceremony_unknown`, `device_signature`, `oidc_refused`, `oidc_unlinked`, `oidc_other`
 */
export async function finishOidc(
  context: Context,
  provider: OidcProvider,
  signedIn: SignedIn | undefined,
  proof: OidcProof,
): Promise<Entered> {
  const state = new URLSearchParams(proof.query).get('state') ?? '';
  const [id = '', secret = ''] = state.split('.');
  const ceremony = await findCeremony(context, 'oidc', id);
  const flow = flowOf(ceremony.oidc ?? '', state, secret);
  const person = await personOnDevice(context, { device: ceremony.device_id ?? '' });
  if (person === undefined || person.approved_at === null) throw new ApiError('device_unknown');
  const actor = spiffeIdOf(context.config, person);
  const attempt = { type: 'login', actor, subject: person.user_id } as const;
  const checked = await auditingRefusal(context, ceremony.id, attempt, async () => {
    const posture = checkDevice(context, person, ceremony.nonce, proof);
    const identity = await provider.finish(proof.query, flow);
    const isKnown = await isLinked(context, identity, person);
    if (!isKnown && !mayLink(signedIn, person)) throw new ApiError('oidc_unlinked');
    return { posture, identity, isKnown };
  });
  const { posture, identity, isKnown } = checked;
  return context.audit.transact(async (transaction) => {
    await spendCeremony(context, transaction, ceremony.id);
    if (!isKnown) await link(context, transaction, identity, person, actor);
    await keepGroups(transaction, person.user_id, identity.groups);
    const { groups, ...idp } = identity;
    const amr = amrBit.oidc | amrBit.deviceKey;
    const of = { user: person.user_id, device: person.device_id, posture, amr, idp };
    const leaseSecret = await openLease(context, transaction, of);
    const detail = { by: 'oidc', groups: groups.length, ...(idp.acr !== undefined && { acr: idp.acr }) };
    await context.audit.record(
      transaction,
      newEvent(context, { type: 'posture', actor, detail: postureDetail(context.clock.now(), posture, null) }),
      newEvent(context, { ...attempt, decision: 'allow', detail: { ...detail, amr: idp.amr.join(' ') } }),
    );
    return { user: { id: person.user_id, name: person.name }, device: { id: person.device_id }, leaseSecret };
  });
}

function flowOf(kept: string, state: string, secret: string): OidcFlow {
  const { secretHash, nonce, verifier } = JSON.parse(kept) as { secretHash: string; nonce: string; verifier: string };
  if (!timingSafeEqual(Buffer.from(secretHash, 'hex'), digestOf(secret))) throw new ApiError('ceremony_unknown');
  return { state, nonce, verifier };
}

/** The browser that began signs what came back, so a code that was put into another browser is worth nothing. */
function checkDevice(context: Context, person: DevicePerson, nonce: Uint8Array, proof: OidcProof) {
  const holder = deviceHolder(person.public_key);
  const posture = verifyPosture(context, proof.posture.statement, proof.posture.signature, holder);
  const challenge = oidcChallenge(nodeCrypto, {
    rpId: context.config.rpId,
    nonce,
    deviceKeyHash: holder.keyHash,
    userHandle: person.handle,
    postureHash: posture.hash,
    queryHash: nodeCrypto.sha256(utf8(proof.query)),
  });
  checkDeviceSignature(holder, challenge, proof.deviceSignature);
  return posture;
}

/** @throws ApiError `oidc_other` where the identity is somebody else's */
async function isLinked(context: Context, { issuer, subject }: OidcIdentity, person: DevicePerson): Promise<boolean> {
  const row = await context.store
    .selectFrom('identities')
    .select('user_id')
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .executeTakeFirst();
  if (row !== undefined && row.user_id !== person.user_id) throw new ApiError('oidc_other');
  return row !== undefined;
}

/** Only who is here by their passkey says that an identity elsewhere is theirs. */
function mayLink(signedIn: SignedIn | undefined, { device_id }: DevicePerson): boolean {
  return signedIn !== undefined && signedIn.device === device_id && (signedIn.amr & amrBit.passkey) !== 0;
}

async function link(
  context: Context,
  transaction: StoreTransaction,
  { issuer, subject }: OidcIdentity,
  { user_id }: DevicePerson,
  actor: string,
): Promise<void> {
  const row = { issuer, subject, user_id, created_at: context.clock.now() };
  await transaction.insertInto('identities').values(row).execute();
  const detail = { operation: 'identity.link', issuer, identity: subject };
  await context.audit.record(transaction, newEvent(context, { type: 'admin', actor, subject: user_id, detail }));
}

/** Those of the last sign-in, and no others of the provider's. */
async function keepGroups(transaction: StoreTransaction, user: string, groups: readonly string[]): Promise<void> {
  await transaction
    .deleteFrom('user_groups')
    .where('user_id', '=', user)
    .where('group_name', 'like', `${groupPrefix}%`)
    .execute();
  const rows = [...new Set(groups)].map((name) => ({ user_id: user, group_name: `${groupPrefix}${name}` }));
  if (rows.length > 0) await transaction.insertInto('user_groups').values(rows).execute();
}
