/**
 * The login lease: this person, on this device, for some hours. A cookie names it; what changes anything is signed by
 * the device key besides (signed-request.ts), so a stolen cookie alone reads a launcher and opens nothing.
 */
import { randomBytes } from 'node:crypto';
import { amrBit } from '../../protocol/svid.ts';
import type { LinkRecord } from '../channel/snapshot-content.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { GuestOf, IdpView } from '../policy/question.ts';
import type { LeaseTable } from '../store/tables/sessions.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { linkKeyHash } from './holder.ts';
import { deviceSpiffeId, digestOf, guestSpiffeId, newSecret } from './identifiers.ts';
import { type AuthenticatorFacts, type PolicySignals, type Posture, policySignalsOf } from './posture.ts';

/** Who is signed in, and everything decisions about them rest on. */
export interface SignedIn {
  readonly leaseId: Uint8Array;
  readonly user: string;
  readonly userName: string;
  readonly userHandle: Uint8Array;
  readonly device: string;
  /** Ed25519; null for a guest who proves themselves by their link. */
  readonly devicePublicKey: Uint8Array | null;
  /** SHA-256 of that key, or of the link's id. */
  readonly keyHash: Uint8Array;
  /** The passkey this device was enrolled with, base64url as WebAuthn's allowCredentials takes it; null without one. */
  readonly credential: string | null;
  /** Set for a guest. */
  readonly guest?: Guest;
  readonly spiffeId: string;
  readonly amr: number;
  /** Null where no authenticator was asked. */
  readonly facts: AuthenticatorFacts | null;
  /** Set for who signed in at a provider elsewhere. */
  readonly idp?: IdpSignIn;
  /** As judged at sign-in. */
  readonly postureSignals: PolicySignals;
  readonly postureTime: number;
  readonly endsAt: number;
}

/** One use of a link, and when the link lets its guests in. */
export type Guest = GuestOf & Pick<LinkRecord, 'hours' | 'zone' | 'expiresAt'>;

/** What a provider said of a sign-in, as policies see it. */
export interface IdpSignIn extends IdpView {
  /** When the person authenticated there, ms. */
  readonly authenticatedAt: number;
}

/** Who holds a new lease. */
export interface LeaseHolder {
  readonly user: string;
  readonly device: string;
  readonly posture: Posture;
  /** {@link amrBit}s */
  readonly amr: number;
  /** Ends no later than this, ms. */
  readonly until?: number | undefined;
  readonly idp?: IdpSignIn & { readonly subject: string; readonly sid?: string };
}

/** What a passkey and a device key prove together. */
export const passkeyAmr: number = amrBit.passkey | amrBit.deviceKey;

/** Writes a lease inside the transaction that spent the ceremony. @returns the cookie's secret, told once. */
export async function openLease(context: Context, transaction: StoreTransaction, of: LeaseHolder): Promise<string> {
  const secret = newSecret();
  const now = context.clock.now();
  const lease: LeaseTable = {
    id: new Uint8Array(randomBytes(16)),
    cookie_hash: digestOf(secret),
    user_id: of.user,
    device_id: of.device,
    amr: of.amr,
    verified_at: now,
    posture_signals: JSON.stringify(policySignalsOf(of.posture)),
    posture_time: of.posture.time,
    created_at: now,
    ends_at: Math.min(now + context.config.timers.loginLeaseS * 1_000, of.until ?? Number.POSITIVE_INFINITY),
    revoked_at: null,
    ...idpColumns(of.idp),
  };
  await transaction.insertInto('leases').values(lease).execute();
  return secret;
}

function idpColumns(idp: LeaseHolder['idp']) {
  if (idp === undefined) return { idp_issuer: null, idp_subject: null, idp_sid: null, idp_facts: null };
  const { issuer, subject, sid = null, ...facts } = idp;
  return { idp_issuer: issuer, idp_subject: subject, idp_sid: sid, idp_facts: JSON.stringify(facts) };
}

/**
 * For what a provider's word is not enough: devices, links, approvals, audit.
 * @throws ApiError `passkey_needed` where the lease was not opened by a passkey
 */
export function requirePasskey({ amr }: SignedIn): void {
  if ((amr & amrBit.passkey) === 0) throw new ApiError('passkey_needed');
}

/** @throws ApiError `unauthenticated` for a cookie that names no lease that is good now. */
export async function signedInBy(context: Context, cookie: string | undefined): Promise<SignedIn> {
  if (cookie === undefined) throw new ApiError('unauthenticated');
  const row = await leases(context).where('leases.cookie_hash', '=', digestOf(cookie)).executeTakeFirst();
  if (row === undefined) throw new ApiError('unauthenticated');
  return describe(context, row);
}

/** The lease of a launch, undefined when it has ended in any way. */
export async function leaseById(context: Context, id: Uint8Array): Promise<SignedIn | undefined> {
  const row = await leases(context).where('leases.id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : describe(context, row);
}

/** Ends a lease and every launch that rests on it. @returns the launches that were live. */
export async function endLease(context: Context, transaction: StoreTransaction, lease: Uint8Array): Promise<string[]> {
  const now = context.clock.now();
  await transaction
    .updateTable('leases')
    .set({ revoked_at: now })
    .where('id', '=', lease)
    .where('revoked_at', 'is', null)
    .execute();
  const launches = await transaction
    .updateTable('launches')
    .set({ revoked_at: now })
    .where('lease_id', '=', lease)
    .where('revoked_at', 'is', null)
    .returning('id')
    .execute();
  return launches.map(({ id }) => id);
}

/** Leases that are good now, with the person or guest, device, passkey and link they belong to, all good as well. */
function leases(context: Context) {
  return context.store
    .selectFrom('leases')
    .innerJoin('users', 'users.id', 'leases.user_id')
    .innerJoin('devices', 'devices.id', 'leases.device_id')
    .leftJoin('credentials', 'credentials.id', 'devices.credential_id')
    .leftJoin('links', 'links.id', 'users.link_id')
    .select([
      'leases.id',
      'leases.user_id',
      'leases.device_id',
      'leases.amr',
      'leases.verified_at',
      'leases.posture_signals',
      'leases.posture_time',
      'leases.ends_at',
      'leases.idp_issuer',
      'leases.idp_facts',
      'users.name',
      'users.handle',
      'users.link_id',
      'users.link_use',
      'links.hours',
      'links.zone',
      'links.expires_at as link_expires_at',
      'devices.public_key',
      'devices.credential_id',
      'credentials.backup_eligible',
      'credentials.backed_up',
    ])
    .where('leases.revoked_at', 'is', null)
    .where('leases.ends_at', '>', context.clock.now())
    .where('users.disabled_at', 'is', null)
    .where('devices.revoked_at', 'is', null)
    .where('devices.approved_at', 'is not', null)
    .where('credentials.revoked_at', 'is', null)
    .where('links.revoked_at', 'is', null)
    .where((lease) => lease.or([lease('links.id', 'is', null), lease('links.expires_at', '>', context.clock.now())]));
}

type LeaseRow = Awaited<ReturnType<ReturnType<typeof leases>['executeTakeFirstOrThrow']>>;

function describe(context: Context, row: LeaseRow): SignedIn {
  return {
    leaseId: row.id,
    user: row.user_id,
    userName: row.name,
    userHandle: row.handle,
    device: row.device_id,
    devicePublicKey: row.public_key,
    keyHash: row.public_key === null ? linkKeyHash(row.link_id ?? '') : nodeCrypto.sha256(row.public_key),
    credential: row.credential_id,
    spiffeId: spiffeIdOf(context.config, row),
    amr: row.amr,
    facts: (row.amr & amrBit.passkey) === 0 ? null : factsOf(row),
    ...idpOf(row),
    ...guestOf(row),
    postureSignals: JSON.parse(row.posture_signals) as PolicySignals,
    postureTime: row.posture_time,
    endsAt: row.ends_at,
  };
}

function factsOf(row: LeaseRow): AuthenticatorFacts {
  return {
    verifiedAt: row.verified_at,
    backupEligible: row.backup_eligible === 1,
    backedUp: row.backed_up === 1,
  };
}

function idpOf({ idp_issuer, idp_facts }: LeaseRow): { idp?: IdpSignIn } {
  if (idp_issuer === null || idp_facts === null) return {};
  return { idp: { issuer: idp_issuer, ...(JSON.parse(idp_facts) as Omit<IdpSignIn, 'issuer'>) } };
}

function guestOf({ link_id, link_use, hours, zone, link_expires_at }: LeaseRow): { guest?: Guest } {
  if (link_id === null || link_use === null) return {};
  const ranges = JSON.parse(hours ?? '[]') as LinkRecord['hours'];
  return { guest: { id: link_id, use: link_use, hours: ranges, zone: zone ?? 'UTC', expiresAt: link_expires_at ?? 0 } };
}

/** The name of a person on a device, or of a guest by their use of a link. */
export function spiffeIdOf(
  config: Context['config'],
  of: Pick<LeaseRow, 'user_id' | 'device_id' | 'link_id' | 'link_use'>,
): string {
  return of.link_id === null
    ? deviceSpiffeId(config, of.user_id, of.device_id)
    : guestSpiffeId(config, of.link_id, of.link_use ?? 0);
}
