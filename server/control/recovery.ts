/**
 * Recovery: whoever lost a device takes it out from another one, by that one's passkey (RevocationDesk.ownDevice); whoever
 * lost them all gets a one-time link from an administrator. There is no question and no code that would let anybody in.
 * Whoever uses such a link is the person from then on, so nothing of before stays: no device, no passkey, no session, no
 * link that was not used yet, no account at a provider elsewhere. They are told on the hub, and so is whoever signs in at a
 * device that was taken out by it.
 */
import type { StoreTransaction } from '../store/tables.ts';
import type { Context } from './context.ts';
import { newEvent } from './identifiers.ts';
import { endLease } from './leases.ts';

/** Why a device is out, as lists of devices show it. */
export const recoveredReason = 'replaced by a recovery link';

/** How long the hub speaks of it. */
const toldMs = 7 * 86_400_000;

export interface Recovery {
  readonly user: string;
  /** The link's id. */
  readonly link: string;
}

/** Takes out everything of before, inside the transaction that lets the new device in. */
export async function takeOutAll(
  context: Context,
  transaction: StoreTransaction,
  { user, link }: Recovery,
): Promise<void> {
  const now = context.clock.now();
  const sessions = await endLeases(context, transaction, user);
  const devices = await transaction
    .updateTable('devices')
    .set({ revoked_at: now, revoked_reason: recoveredReason })
    .where('user_id', '=', user)
    .where('revoked_at', 'is', null)
    .returning('id')
    .execute();
  await revokeKeys(transaction, user, now);
  const accounts = await transaction.deleteFrom('identities').where('user_id', '=', user).returning('issuer').execute();
  const detail = {
    ...{ operation: 'user.recover', link, devices: devices.length, sessions, accounts: accounts.length },
  };
  const event = { type: 'admin', actor: 'system', subject: user, detail } as const;
  await context.audit.record(transaction, newEvent(context, event));
}

async function endLeases(context: Context, transaction: StoreTransaction, user: string): Promise<number> {
  const leases = await transaction
    .selectFrom('leases')
    .select('id')
    .where('user_id', '=', user)
    .where('revoked_at', 'is', null)
    .execute();
  for (const { id } of leases) await endLease(context, transaction, id);
  return leases.length;
}

/** Passkeys, and links that nobody has used yet. */
async function revokeKeys(transaction: StoreTransaction, user: string, revoked_at: number): Promise<void> {
  await transaction
    .updateTable('credentials')
    .set({ revoked_at })
    .where('user_id', '=', user)
    .where('revoked_at', 'is', null)
    .execute();
  await transaction
    .updateTable('enrolments')
    .set({ revoked_at })
    .where('user_id', '=', user)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .execute();
}

/** What a person is told of a recovery not long ago: when it was, and how many devices it took out. */
export interface RecoveryNotice {
  /** ms */
  readonly at: number;
  readonly devices: number;
}

export async function recoveryNotice(context: Context, user: string): Promise<RecoveryNotice | undefined> {
  const { at, devices } = await context.store
    .selectFrom('devices')
    .select(({ fn }) => [fn.max('revoked_at').as('at'), fn.countAll<number>().as('devices')])
    .where('user_id', '=', user)
    .where('revoked_reason', '=', recoveredReason)
    .where('revoked_at', '>', context.clock.now() - toldMs)
    .executeTakeFirstOrThrow();
  return at === null ? undefined : { at, devices: Number(devices) };
}

/** Whether the device of this key is out because of a recovery. */
export async function wasReplaced(context: Context, devicePublicKey: Uint8Array): Promise<boolean> {
  const row = await context.store
    .selectFrom('devices')
    .select('id')
    .where('public_key', '=', devicePublicKey)
    .where('revoked_reason', '=', recoveredReason)
    .executeTakeFirst();
  return row !== undefined;
}
