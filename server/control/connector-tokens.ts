/**
 * Tokens that let a connector join from another machine: for one name, once, for a while. The text that is told carries
 * all that the connector needs: its name, where the control plane is, and the fingerprint of the authority that must
 * vouch for it, so that nothing is trusted at first sight. Stored is a digest.
 */
import { connectorTokenLifeMs, formatConnectorToken } from '../channel/connector-token.ts';
import { nameField } from '../channel/fields.ts';
import { type Workloads, workloadsField } from '../channel/workload.ts';
import { dataPaths } from '../config.ts';
import type { ConnectorTokenTable } from '../store/tables/services.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { digestOf, newEvent, newId, newSecret } from './identifiers.ts';

/** What a connector that joins by a token has to show each time. */
export type Needs = Pick<ConnectorTokenTable, 'needs_strong' | 'needs_machine' | 'needs_workloads'>;

/** What its services have to be. */
export function workloadsOf(needs: Needs | undefined): Workloads {
  return workloadsField.parse(JSON.parse(needs?.needs_workloads ?? '{}'));
}

/** What was asked for once stays; a token adds to it, or names another machine. @param known the same connector's */
export function needsOfBoth(asked: Needs | undefined, known: Needs | undefined): Needs {
  return {
    needs_strong: asked?.needs_strong === 1 || known?.needs_strong === 1 ? 1 : 0,
    needs_machine: asked?.needs_machine ?? known?.needs_machine ?? null,
    needs_workloads: JSON.stringify({ ...workloadsOf(known), ...workloadsOf(asked) }),
  };
}

export interface NewConnectorToken {
  readonly name: string;
  /** Default `weak`: the token alone will do. */
  readonly evidence?: 'weak' | 'strong' | undefined;
  /** A DNS name that the machine's certificate has to be for, which makes the evidence strong. */
  readonly machine?: string | undefined;
  /** Selectors that its services have to show, by service; then it publishes no others. */
  readonly workloads?: Workloads | undefined;
}

/** @param port of the TLS door; undefined when it is closed, and the token is good on this machine only. */
export async function newConnectorToken(
  context: Context,
  { name, evidence, machine, workloads = {} }: NewConnectorToken,
  port: number | undefined,
): Promise<{ token: string; expires: number; remote: boolean }> {
  if (!nameField.safeParse(name).success) throw new ApiError('name_malformed');
  if (machine !== undefined && !/^[A-Za-z0-9.-]{1,253}$/.test(machine)) throw new ApiError('name_malformed');
  if (!workloadsField.safeParse(workloads).success) throw new ApiError('selector_malformed');
  const isStrong = evidence === 'strong' || machine !== undefined;
  if (isStrong && context.config.channel.machines.length === 0) throw new ApiError('no_machine_authority');
  const secret = newSecret();
  const now = context.clock.now();
  const row = {
    id: newId(),
    token_hash: digestOf(secret),
    name,
    created_at: now,
    expires_at: now + connectorTokenLifeMs,
    needs_strong: isStrong ? 1 : 0,
    needs_machine: machine ?? null,
    needs_workloads: JSON.stringify(workloads),
  };
  await context.audit.transact(async (transaction) => {
    await transaction
      .insertInto('connector_tokens')
      .values({ ...row, used_at: null, revoked_at: null })
      .execute();
    await askOfJoined(transaction, row);
    const detail = {
      operation: 'connector.token',
      name,
      evidence: isStrong ? 'strong' : 'weak',
      workloads: row.needs_workloads,
    };
    await context.audit.record(transaction, newEvent(context, { type: 'admin', actor: 'system', detail }));
  });
  const { channel, hubHost, trustDomain } = context.config;
  const control =
    port === undefined ? `unix:${dataPaths.controlSocket(context.config)}` : `${channel.host ?? hubHost}:${port}`;
  const token = formatConnectorToken({ name, control, trustDomain, authority: context.ca.fingerprint, secret });
  return { token, expires: row.expires_at, remote: port !== undefined };
}

/** One that has joined needs no token any more, and is asked for the same from its next coming on. */
async function askOfJoined(transaction: StoreTransaction, asked: Needs & { readonly name: string }): Promise<void> {
  const joined = await transaction
    .selectFrom('connectors')
    .select(['id', 'needs_strong', 'needs_machine', 'needs_workloads'])
    .where('name', '=', asked.name)
    .executeTakeFirst();
  if (joined === undefined) return;
  const needs = needsOfBoth(asked, joined);
  await transaction.updateTable('connectors').set(needs).where('id', '=', joined.id).execute();
}

/** @returns what a token asks for; undefined for one that is unknown, used, over or for another name */
export async function needsOfToken(context: Context, name: string, secret: string): Promise<Needs | undefined> {
  return context.store
    .selectFrom('connector_tokens')
    .select(['needs_strong', 'needs_machine', 'needs_workloads'])
    .where('token_hash', '=', digestOf(secret))
    .where('name', '=', name)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', context.clock.now())
    .executeTakeFirst();
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
