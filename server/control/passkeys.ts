/** The passkey that a device was enrolled with, checked against a challenge of ours; for sign-in and step-up. */
import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import { origins } from '../config.ts';
import type { CredentialTable } from '../store/tables/people.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { verifyPasskey, WebAuthnError } from './webauthn.ts';

export interface CheckedPasskey {
  readonly credential: CredentialTable;
  readonly result: { readonly counter: number; readonly backedUp: boolean };
}

/** Whose passkey it has to be. */
export interface PasskeyHolder {
  readonly user_id: string;
  /** The one this device was enrolled with: what policies are told of the passkey is told of it, so no other counts. */
  readonly credential_id: string;
  readonly handle: Uint8Array;
}

/** @throws WebAuthnError */
export async function checkPasskey(
  context: Context,
  holder: PasskeyHolder,
  response: AuthenticationResponseJSON,
  challenge: Uint8Array,
): Promise<CheckedPasskey> {
  if (response.id !== holder.credential_id) throw new WebAuthnError('signature');
  const credential = await context.store
    .selectFrom('credentials')
    .selectAll()
    .where('id', '=', holder.credential_id)
    .where('user_id', '=', holder.user_id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  if (credential === undefined) throw new WebAuthnError('signature');
  const rp = { rpId: context.config.rpId, origin: origins.hub(context.config) };
  const result = await verifyPasskey(rp, response, challenge, {
    id: credential.id,
    publicKey: credential.public_key,
    counter: credential.counter,
    backupEligible: credential.backup_eligible === 1,
    userHandle: holder.handle,
  });
  return { credential, result };
}

/**
 * A counter that another ceremony moved meanwhile is a cloned authenticator or a race; neither may go on.
 * @throws ApiError `ceremony_refused`
 */
export async function keepCounter(
  transaction: StoreTransaction,
  { credential, result }: CheckedPasskey,
): Promise<void> {
  const { numUpdatedRows } = await transaction
    .updateTable('credentials')
    .set({ counter: result.counter, backed_up: result.backedUp ? 1 : 0 })
    .where('id', '=', credential.id)
    .where('counter', '=', credential.counter)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw new ApiError('ceremony_refused');
}
