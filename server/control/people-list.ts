/** People with their groups, roles and devices, as an administrator sees them. */
import { type AdminRole, adminRoles } from './admin-roles.ts';
import type { Context } from './context.ts';
import { holds, noLimit, type Page } from './page.ts';

export interface ShownPerson {
  readonly id: string;
  readonly name: string;
  readonly groups: string[];
  /** Duties in the administration. */
  readonly roles: AdminRole[];
  /** Has a passkey. */
  readonly enrolled: boolean;
  readonly disabled: boolean;
  /** When, ms, and why. */
  readonly disabledAt?: number;
  readonly reason?: string;
  readonly devices: { readonly id: string; readonly createdAt: number; readonly revoked: boolean }[];
}

/** Guests not among them. @returns a page of them, and how many fit the search */
export async function listPeople(
  { store }: Pick<Context, 'store'>,
  { search = '', offset = 0, limit = noLimit }: Page = {},
): Promise<{ users: ShownPerson[]; total: number }> {
  let found = store.selectFrom('users').where('link_id', 'is', null);
  if (search !== '') found = found.where(holds(['users.name', 'users.id'], search));
  const { total } = await found.select(({ fn }) => fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  const page = found
    .select(['id', 'name', 'disabled_at', 'disabled_reason'])
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit)
    .offset(offset);
  const users = await page.execute();
  const ids = found.select('id').orderBy('created_at').orderBy('id').limit(limit).offset(offset);
  const groups = await store
    .selectFrom('user_groups')
    .selectAll()
    .where('user_id', 'in', ids)
    .orderBy('group_name')
    .execute();
  const roles = await store.selectFrom('admin_roles').selectAll().where('user_id', 'in', ids).execute();
  const devices = await store
    .selectFrom('devices')
    .select(['id', 'user_id', 'created_at', 'revoked_at'])
    .where('user_id', 'in', ids)
    .orderBy('created_at')
    .execute();
  const [groupsOf, rolesOf, devicesOf] = [byUser(groups), byUser(roles), byUser(devices)];
  const shown = users.map(({ id, name, disabled_at, disabled_reason }) => {
    const own = devicesOf.get(id) ?? [];
    return {
      ...{ id, name, disabled: disabled_at !== null, enrolled: own.length > 0 },
      ...(disabled_at !== null && { disabledAt: disabled_at }),
      ...(disabled_reason !== null && { reason: disabled_reason }),
      groups: (groupsOf.get(id) ?? []).map(({ group_name }) => group_name),
      roles: adminRoles.filter((role) => rolesOf.get(id)?.some((row) => row.role === role)),
      devices: own.map((device) => ({
        id: device.id,
        createdAt: device.created_at,
        revoked: device.revoked_at !== null,
      })),
    };
  });
  return { users: shown, total };
}

function byUser<T extends { readonly user_id: string }>(rows: readonly T[]): Map<string, T[]> {
  return Map.groupBy(rows, ({ user_id }) => user_id);
}
