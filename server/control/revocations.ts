/**
 * Taking access away at once: what is revoked is written down, every lease and launch that rests on it ends, and a
 * signed revocation epoch tells the gateways, which close what is open. An entry is listed for as long as a credential
 * issued before could still be good.
 */

import { utf8 } from '../../protocol/bytes.ts';
import { type Revocation, signRevocation } from '../../protocol/revocation.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { ApiError } from './api-error.ts';
import { archivePeers } from './archived-peers.ts';
import type { Context } from './context.ts';
import { newEvent } from './identifiers.ts';
import { endLease, type SignedIn } from './leases.ts';
import { revokeLink } from './links.ts';
import { type Recovery, takeOutAll } from './recovery.ts';
import { endSession } from './sessions.ts';

/**
 * Credentials of one device that are listed one by one. Above that the device is listed instead, which ends what it
 * opened since as well: no one device can make the list longer than an epoch may be.
 */
const serialsOfOneDevice = 256;

type Revoked = Revocation['revoked'][number];

export class RevocationDesk {
  readonly #context: Context;
  readonly #publish: (revocation: Uint8Array) => void;

  /** @param publish sends a signed revocation epoch to every connected gateway. */
  constructor(context: Context, publish: (revocation: Uint8Array) => void) {
    this.#context = context;
    this.#publish = publish;
  }

  /** The same for an administrator, whose doing it then is. */
  by(context: Context): RevocationDesk {
    return new RevocationDesk(context, this.#publish);
  }

  /** Signing out: the lease ends, and with it every tunnel that was opened under it. */
  async signOut(who: SignedIn): Promise<void> {
    await this.#revoke(async (transaction) => {
      await endLease(this.#context, transaction, who.leaseId);
      const event = newEvent(this.#context, { type: 'logout', actor: who.spiffeId, subject: who.user });
      await this.#context.audit.record(transaction, event);
    });
  }

  /** Somebody signed out at an OpenID provider: what they entered by it here ends, all of it or of that one session there. */
  async providerSignOut(
    issuer: string,
    { subject, sid }: { readonly subject: string | undefined; readonly sid: string | undefined },
  ): Promise<void> {
    await this.#revoke(async (transaction) => {
      let query = transaction
        .selectFrom('leases')
        .select(['id', 'user_id'])
        .where('idp_issuer', '=', issuer)
        .where('revoked_at', 'is', null);
      if (subject !== undefined) query = query.where('idp_subject', '=', subject);
      if (sid !== undefined) query = query.where('idp_sid', '=', sid);
      for (const { id, user_id } of await query.execute()) {
        await endLease(this.#context, transaction, id);
        const detail = { by: 'oidc' };
        const event = newEvent(this.#context, { type: 'logout', actor: 'system', subject: user_id, detail });
        await this.#context.audit.record(transaction, event);
      }
    });
  }

  /** A device that was lost. @throws ApiError `device_unknown` */
  async device(id: string, reason?: string): Promise<void> {
    await this.#device(id, reason, { actor: 'system' });
  }

  /** A device that its own person lost. @throws ApiError `device_unknown` for one that is not theirs */
  async ownDevice(who: SignedIn, id: string): Promise<void> {
    await this.#device(id, undefined, { actor: who.spiffeId, owner: who.user });
  }

  /** A person who left. @throws ApiError `user_unknown` */
  async user(id: string, reason?: string): Promise<void> {
    await this.#revoke(async (transaction) => {
      const row = await transaction
        .updateTable('users')
        .set({ disabled_at: this.#context.clock.now(), disabled_reason: reason ?? null })
        .where('id', '=', id)
        .where('disabled_at', 'is', null)
        .returning('id')
        .executeTakeFirst();
      if (row === undefined) throw new ApiError('user_unknown');
      await this.#endLeases(transaction, 'user_id', id);
      await this.#recordAdmin(transaction, 'user.disable', id, why(reason));
    });
  }

  /** A person who lost all their devices, in the transaction that gives them a new one; {@link tell} afterwards. */
  async recovery(transaction: StoreTransaction, recovery: Recovery): Promise<void> {
    await takeOutAll(this.#context, transaction, recovery);
    await nextEpoch(transaction);
  }

  /** A link: every guest of it is out, and no other comes in. @throws ApiError `link_unknown` */
  async link(id: string, reason?: string): Promise<void> {
    await this.#revoke(async (transaction) => {
      await revokeLink(this.#context, transaction, id, reason);
      const guests = transaction.selectFrom('users').select('id').where('link_id', '=', id);
      const leases = await transaction
        .selectFrom('leases')
        .select('id')
        .where('user_id', 'in', guests)
        .where('revoked_at', 'is', null)
        .execute();
      for (const lease of leases) await endLease(this.#context, transaction, lease.id);
    });
  }

  /** One tunnel. @throws ApiError `session_unknown` */
  async session(id: string): Promise<void> {
    await this.#revoke(async (transaction) => {
      const { user, service } = await endSession(this.#context, transaction, id);
      await this.#recordAdmin(transaction, 'session.revoke', user, { session: id, service });
    });
  }

  /** A service: until it is resumed nobody opens it, and what is open ends. @throws ApiError `service_unknown` */
  async service(name: string, reason?: string): Promise<void> {
    await this.#revoke((transaction) => this.#suspend(transaction, 'name', name, reason));
  }

  /**
   * A connector: it joins no more, WireGuard knows it no more, and what it carries is suspended.
   * @returns its id, to end its channel. @throws ApiError `connector_unknown`
   */
  async connector(name: string, reason?: string): Promise<string> {
    const now = this.#context.clock.now();
    let id = '';
    await this.#revoke(async (transaction) => {
      const row = await transaction
        .updateTable('connectors')
        .set({ revoked_at: now })
        .where('name', '=', name)
        .where('revoked_at', 'is', null)
        .returning(['id', 'wireguard_key'])
        .executeTakeFirst();
      if (row === undefined) throw new ApiError('connector_unknown');
      id = row.id;
      await archivePeers(this.#context, transaction, { connectorId: id }, reason ?? 'revoked');
      await this.#suspend(transaction, 'wireguard_key', row.wireguard_key, reason);
      await this.#recordAdmin(transaction, 'connector.revoke', id, { name, ...why(reason) });
    });
    return id;
  }

  async #suspend(
    transaction: StoreTransaction,
    column: 'name' | 'wireguard_key',
    value: string,
    reason: string | undefined,
  ): Promise<void> {
    const rows = await transaction
      .updateTable('services')
      .set({ suspended_at: this.#context.clock.now() })
      .where(column, '=', value)
      .where('suspended_at', 'is', null)
      .returning('name')
      .execute();
    if (rows.length === 0 && column === 'name') throw new ApiError('service_unknown');
    for (const { name } of rows) {
      const detail = { operation: 'service.suspend', ...why(reason) };
      const event = { type: 'service.change', actor: 'system', service: name, detail } as const;
      await this.#context.audit.record(transaction, newEvent(this.#context, event));
    }
  }

  /** The signed revocation epoch in force. */
  async current(): Promise<Uint8Array> {
    const { store, clock, pki } = this.#context;
    const { value } = await store
      .selectFrom('counters')
      .select('value')
      .where('name', '=', 'revocation_epoch')
      .executeTakeFirstOrThrow();
    const revocation = { epoch: BigInt(value), issuedAt: clock.now(), revoked: await this.#revoked() };
    return signRevocation(nodeCrypto, pki.signer('revocation'), revocation);
  }

  /** Tells the gateways what is revoked now. */
  async tell(): Promise<void> {
    this.#publish(await this.current());
  }

  /** A service that was suspended opens again. @throws ApiError `service_unknown` */
  async resume(name: string): Promise<void> {
    await this.#revoke(async (transaction) => {
      const row = await transaction
        .updateTable('services')
        .set({ suspended_at: null })
        .where('name', '=', name)
        .where('suspended_at', 'is not', null)
        .returning('name')
        .executeTakeFirst();
      if (row === undefined) throw new ApiError('service_unknown');
      const detail = { operation: 'service.resume' };
      const event = { type: 'service.change', actor: 'system', service: name, detail } as const;
      await this.#context.audit.record(transaction, newEvent(this.#context, event));
    });
  }

  async #revoke(write: (transaction: StoreTransaction) => Promise<void>): Promise<void> {
    await this.#context.audit.transact(async (transaction) => {
      await write(transaction);
      await nextEpoch(transaction);
    });
    await this.tell();
  }

  async #device(
    id: string,
    reason: string | undefined,
    by: { readonly actor: string; readonly owner?: string },
  ): Promise<void> {
    await this.#revoke(async (transaction) => {
      let query = transaction
        .updateTable('devices')
        .set({ revoked_at: this.#context.clock.now(), revoked_reason: reason ?? null })
        .where('id', '=', id)
        .where('revoked_at', 'is', null);
      if (by.owner !== undefined) query = query.where('user_id', '=', by.owner);
      const row = await query.returning('user_id').executeTakeFirst();
      if (row === undefined) throw new ApiError('device_unknown');
      await this.#endLeases(transaction, 'device_id', id);
      await this.#recordAdmin(transaction, 'device.revoke', row.user_id, { device: id, ...why(reason) }, by.actor);
    });
  }

  async #endLeases(transaction: StoreTransaction, column: 'device_id' | 'user_id', id: string): Promise<void> {
    const leases = await transaction
      .selectFrom('leases')
      .select('id')
      .where(column, '=', id)
      .where('revoked_at', 'is', null)
      .execute();
    for (const lease of leases) await endLease(this.#context, transaction, lease.id);
  }

  async #recordAdmin(
    transaction: StoreTransaction,
    operation: string,
    subject: string,
    detail: Record<string, string>,
    actor = 'system',
  ): Promise<void> {
    const event = { type: 'admin', actor, subject, detail: { operation, ...detail } } as const;
    await this.#context.audit.record(transaction, newEvent(this.#context, event));
  }

  async #revoked(): Promise<Revoked[]> {
    const { store, clock, config } = this.#context;
    const now = clock.now();
    const since = now - config.timers.credentialS * 1_000;
    const devices = await store.selectFrom('devices').select('id').where('revoked_at', '>', since).execute();
    const users = await store.selectFrom('users').select('id').where('disabled_at', '>', since).execute();
    const links = await store.selectFrom('links').select('id').where('revoked_at', '>', since).execute();
    const services = await store.selectFrom('services').select('name').where('suspended_at', 'is not', null).execute();
    const credentials = await store
      .selectFrom('svids')
      .innerJoin('launches', 'launches.id', 'svids.launch_id')
      .innerJoin('users', 'users.id', 'launches.user_id')
      .select(['svids.serial', 'launches.device_id', 'users.link_id', 'users.link_use'])
      .where('launches.revoked_at', 'is not', null)
      .where('svids.not_after', '>', now)
      .execute();
    // Whoever signed in again since has begun anew: what is kept for them now is not what they signed out of.
    const signedOut = await store
      .selectFrom('leases')
      .innerJoin('users', 'users.id', 'leases.user_id')
      .select(['leases.device_id', 'users.link_id', 'users.link_use'])
      .groupBy(['leases.device_id', 'users.link_id', 'users.link_use'])
      .having((lease) => lease.fn.max('leases.revoked_at'), '>', since)
      .having((lease) => lease(lease.fn.max('leases.revoked_at'), '>=', lease.fn.max('leases.created_at')))
      .execute();
    return [
      ...devices.map(({ id }) => ({ kind: 'device' as const, id: utf8(id) })),
      ...users.map(({ id }) => ({ kind: 'user' as const, id: utf8(id) })),
      ...links.map(({ id }) => ({ kind: 'link' as const, id: utf8(id) })),
      ...services.map(({ name }) => ({ kind: 'service' as const, id: utf8(name) })),
      ...listed(credentials),
      ...signedOut.map((one) => ({ kind: 'signOut' as const, id: utf8(ownerOf(one)) })),
    ];
  }
}

async function nextEpoch(transaction: StoreTransaction): Promise<void> {
  await transaction
    .updateTable('counters')
    .set((counter) => ({ value: counter('value', '+', 1) }))
    .where('name', '=', 'revocation_epoch')
    .execute();
}

function why(reason: string | undefined): { why?: string } {
  return reason === undefined ? {} : { why: reason };
}

interface Owner {
  readonly device_id: string;
  readonly link_id: string | null;
  readonly link_use: number | null;
}

/** The device, or of a guest the use of their link, as credentials name it. */
function ownerOf({ device_id, link_id, link_use }: Owner): string {
  return link_id === null ? device_id : `${link_id}/${link_use}`;
}

function listed(credentials: readonly (Owner & { readonly serial: Uint8Array })[]): Revoked[] {
  const byDevice = Map.groupBy(credentials, ownerOf);
  return [...byDevice].flatMap(([device, some]): Revoked[] =>
    some.length > serialsOfOneDevice
      ? [{ kind: device.includes('/') ? 'link' : 'device', id: utf8(device) }]
      : some.map(({ serial }) => ({ kind: 'session', id: serial })),
  );
}
