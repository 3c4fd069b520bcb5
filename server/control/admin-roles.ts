/**
 * Who may administrate what (QHX-8). Each duty is a role of its own, and no role holds two: whoever lets people in does
 * not write the policy, whoever writes the policy does not read the audit. Roles are granted on the machine, by whoever
 * may open the data folder, and never by a page: no administrator can give themselves another.
 */
import { amrBit } from '../../protocol/svid.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { newEvent } from './identifiers.ts';
import type { SignedIn } from './leases.ts';

/** Manager: people, devices, services, links, sessions. PKI: what lets machines in. Notary: audit and receipts. */
export const adminRoles = ['manager', 'pki', 'notary', 'policy'] as const;
export type AdminRole = (typeof adminRoles)[number];

type Duty = { readonly reads: readonly AdminRole[]; readonly changes: readonly AdminRole[] };
const everybody: Duty['reads'] = adminRoles;

/** By the first part of an address below /admin, or by the whole of one. What is not listed no page may ask for. */
const duties: Readonly<Record<string, Duty>> = {
  status: { reads: everybody, changes: [] },
  metrics: { reads: everybody, changes: [] },
  services: { reads: everybody, changes: ['manager'] },
  users: { reads: ['manager', 'policy'], changes: ['manager'] },
  enrolments: { reads: [], changes: ['manager'] },
  // Makes an administrator, where none is left: as a grant of a role, on the machine alone.
  'enrolments/first': { reads: [], changes: [] },
  devices: { reads: ['manager'], changes: ['manager'] },
  links: { reads: ['manager'], changes: ['manager'] },
  knocks: { reads: ['manager'], changes: ['manager'] },
  sessions: { reads: ['manager'], changes: ['manager'] },
  peers: { reads: ['manager', 'pki'], changes: ['pki'] },
  wireguard: { reads: ['manager', 'pki'], changes: [] },
  connectors: { reads: ['manager', 'pki'], changes: ['pki'] },
  federations: { reads: ['manager', 'pki'], changes: ['pki'] },
  svids: { reads: [], changes: ['pki'] },
  policies: { reads: ['policy'], changes: ['policy'] },
  keys: { reads: ['pki', 'notary'], changes: [] },
  audit: { reads: ['notary'], changes: [] },
  // Changes nothing, and takes a while.
  'audit/verify': { reads: [], changes: ['notary'] },
  receipts: { reads: ['notary'], changes: [] },
};

/** Whose duty it is; nobody's who comes by a page where there is none. @param address without `/admin/` before it */
export function rolesFor(address: string, isRead: boolean): readonly AdminRole[] {
  const [area = ''] = address.split('/');
  const duty = duties[address] ?? duties[area];
  return (isRead ? duty?.reads : duty?.changes) ?? [];
}

/** @param address without `/admin/` before it. @throws ApiError `admin_passkey`, `role_needed` */
export async function requireDuty(context: Context, who: SignedIn, address: string, isRead: boolean): Promise<void> {
  // An identity provider alone makes nobody an administrator (QZ-9): a passkey of an enrolled device does.
  const proofs = amrBit.passkey | amrBit.deviceKey;
  if (who.guest !== undefined || (who.amr & proofs) !== proofs) throw new ApiError('admin_passkey');
  const allowed = rolesFor(address, isRead);
  const held = await rolesOf(context, who.user);
  if (!held.some((role) => allowed.includes(role))) throw new ApiError('role_needed');
}

/** Sorted. */
export async function rolesOf({ store }: Pick<Context, 'store'>, user: string): Promise<AdminRole[]> {
  const rows = await store.selectFrom('admin_roles').select('role').where('user_id', '=', user).execute();
  return adminRoles.filter((role) => rows.some((row) => row.role === role));
}

/** Nobody gets into the place of an administrator by a link that another one made. @throws ApiError `role_needed` */
export async function refuseOverRoles({ actor }: Context, store: StoreTransaction, user: string): Promise<void> {
  if (actor !== undefined && (await rolesOf({ store }, user)).length > 0) throw new ApiError('role_needed');
}

/** Inside the transaction that makes the first administrator. */
export async function grantFirstRole(context: Context, transaction: StoreTransaction, user: string): Promise<void> {
  const row = { user_id: user, role: 'manager', granted_at: context.clock.now() };
  await transaction.insertInto('admin_roles').values(row).execute();
}

/** @throws ApiError `user_unknown` */
export async function changeRole(context: Context, user: string, role: AdminRole, isHeld: boolean): Promise<void> {
  await context.audit.transact(async (transaction) => {
    const person = await transaction
      .selectFrom('users')
      .select('id')
      .where('id', '=', user)
      .where('link_id', 'is', null)
      .executeTakeFirst();
    if (person === undefined) throw new ApiError('user_unknown');
    if (isHeld)
      await transaction
        .insertInto('admin_roles')
        .values({ user_id: user, role, granted_at: context.clock.now() })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    else await transaction.deleteFrom('admin_roles').where('user_id', '=', user).where('role', '=', role).execute();
    const detail = { operation: isHeld ? 'role.grant' : 'role.revoke', role };
    const event = { type: 'admin', actor: 'system', subject: user, detail } as const;
    await context.audit.record(transaction, newEvent(context, event));
  });
}
