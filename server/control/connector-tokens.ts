/**
 * Tokens that let a connector join from another machine: for one name, once, for a while. The text that is told carries
 * all that the connector needs: its name, where the control plane is, and the fingerprint of the authority that must
 * vouch for it, so that nothing is trusted at first sight. Stored is a digest.
 */
import { connectorTokenLifeMs, formatConnectorToken } from '../channel/connector-token.ts';
import { nameField } from '../channel/fields.ts';
import { dataPaths } from '../config.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { digestOf, newEvent, newId, newSecret } from './identifiers.ts';

/** @param port of the TLS door; undefined when it is closed, and the token is good on this machine only. */
export async function newConnectorToken(
  context: Context,
  name: string,
  port: number | undefined,
): Promise<{ token: string; expires: number; remote: boolean }> {
  if (!nameField.safeParse(name).success) throw new ApiError('name_malformed');
  const secret = newSecret();
  const now = context.clock.now();
  const row = {
    id: newId(),
    token_hash: digestOf(secret),
    name,
    created_at: now,
    expires_at: now + connectorTokenLifeMs,
  };
  await context.audit.transact(async (transaction) => {
    await transaction
      .insertInto('connector_tokens')
      .values({ ...row, used_at: null, revoked_at: null })
      .execute();
    const detail = { operation: 'connector.token', name };
    await context.audit.record(transaction, newEvent(context, { type: 'admin', actor: 'system', detail }));
  });
  const { channel, hubHost, trustDomain } = context.config;
  const control =
    port === undefined ? `unix:${dataPaths.controlSocket(context.config)}` : `${channel.host ?? hubHost}:${port}`;
  const token = formatConnectorToken({ name, control, trustDomain, authority: context.ca.fingerprint, secret });
  return { token, expires: row.expires_at, remote: port !== undefined };
}

/** Uses a token up. @returns false for one that is unknown, used, over or for another name */
export async function spendConnectorToken(
  context: Context,
  transaction: StoreTransaction,
  name: string,
  secret: string,
): Promise<boolean> {
  const now = context.clock.now();
  const spent = await transaction
    .updateTable('connector_tokens')
    .set({ used_at: now })
    .where('token_hash', '=', digestOf(secret))
    .where('name', '=', name)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return spent.numUpdatedRows === 1n;
}
