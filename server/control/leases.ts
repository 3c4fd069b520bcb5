/**
 * The login lease: this person, on this device, for some hours. A cookie names it; what changes anything is signed by
 * the device key besides (signed-request.ts), so a stolen cookie alone reads a launcher and opens nothing.
 */
import { randomBytes } from 'node:crypto';
import { amrBit } from '../../protocol/svid.ts';
import type { LeaseTable, StoreTransaction } from '../store/tables.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { deviceSpiffeId, digestOf, newSecret } from './identifiers.ts';
import { type AuthenticatorFacts, type PolicySignals, type Posture, policySignalsOf } from './posture.ts';

/** Who is signed in, and everything decisions about them rest on. */
export interface SignedIn {
  readonly leaseId: Uint8Array;
  readonly user: string;
  readonly userName: string;
  readonly userHandle: Uint8Array;
  readonly device: string;
  readonly devicePublicKey: Uint8Array;
  /** The passkey this device was enrolled with, base64url as WebAuthn's allowCredentials takes it. */
  readonly credential: string;
  readonly spiffeId: string;
  readonly amr: number;
  readonly facts: AuthenticatorFacts;
  /** As judged at sign-in. */
  readonly postureSignals: PolicySignals;
  readonly postureTime: number;
  readonly endsAt: number;
}

/** Writes a lease inside the transaction that spent the ceremony. @returns the cookie's secret, told once. */
export async function openLease(
  context: Context,
  transaction: StoreTransaction,
  of: { readonly user: string; readonly device: string; readonly posture: Posture },
): Promise<string> {
  const secret = newSecret();
  const now = context.clock.now();
  const lease: LeaseTable = {
    id: new Uint8Array(randomBytes(16)),
    cookie_hash: digestOf(secret),
    user_id: of.user,
    device_id: of.device,
    amr: amrBit.passkey | amrBit.deviceKey,
    verified_at: now,
    posture_signals: JSON.stringify(policySignalsOf(of.posture)),
    posture_time: of.posture.time,
    created_at: now,
    ends_at: now + context.config.timers.loginLeaseS * 1_000,
    revoked_at: null,
  };
  await transaction.insertInto('leases').values(lease).execute();
  return secret;
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

/** Leases that are good now, with the person, device and passkey they belong to, all of them good as well. */
function leases(context: Context) {
  return context.store
    .selectFrom('leases')
    .innerJoin('users', 'users.id', 'leases.user_id')
    .innerJoin('devices', 'devices.id', 'leases.device_id')
    .innerJoin('credentials', 'credentials.id', 'devices.credential_id')
    .select([
      'leases.id',
      'leases.user_id',
      'leases.device_id',
      'leases.amr',
      'leases.verified_at',
      'leases.posture_signals',
      'leases.posture_time',
      'leases.ends_at',
      'users.name',
      'users.handle',
      'devices.public_key',
      'devices.credential_id',
      'credentials.backup_eligible',
      'credentials.backed_up',
    ])
    .where('leases.revoked_at', 'is', null)
    .where('leases.ends_at', '>', context.clock.now())
    .where('users.disabled_at', 'is', null)
    .where('devices.revoked_at', 'is', null)
    .where('credentials.revoked_at', 'is', null);
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
    credential: row.credential_id,
    spiffeId: deviceSpiffeId(context.config, row.user_id, row.device_id),
    amr: row.amr,
    facts: {
      verifiedAt: row.verified_at,
      backupEligible: row.backup_eligible === 1,
      backedUp: row.backed_up === 1,
    },
    postureSignals: JSON.parse(row.posture_signals) as PolicySignals,
    postureTime: row.posture_time,
    endsAt: row.ends_at,
  };
}
