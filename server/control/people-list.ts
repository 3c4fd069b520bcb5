/** People with their groups and devices, as an administrator sees them. */
import type { Context } from './context.ts';

export interface ShownPerson {
  readonly id: string;
  readonly name: string;
  readonly groups: string[];
  /** Has a passkey. */
  readonly enrolled: boolean;
  readonly disabled: boolean;
  readonly devices: { readonly id: string; readonly createdAt: number; readonly revoked: boolean }[];
}

export async function listPeople(context: Context): Promise<ShownPerson[]> {
  const { store } = context;
  const users = await store
    .selectFrom('users')
    .select(['id', 'name', 'disabled_at'])
    .where('link_id', 'is', null)
    .orderBy('created_at')
    .execute();
  const groups = await store.selectFrom('user_groups').selectAll().orderBy('group_name').execute();
  const devices = await store.selectFrom('devices').selectAll().orderBy('created_at').execute();
  return users.map(({ id, name, disabled_at }) => {
    const own = devices.filter((device) => device.user_id === id);
    return {
      id,
      name,
      groups: groups.filter((group) => group.user_id === id).map((group) => group.group_name),
      enrolled: own.length > 0,
      disabled: disabled_at !== null,
      devices: own.map((device) => ({
        id: device.id,
        createdAt: device.created_at,
        revoked: device.revoked_at !== null,
      })),
    };
  });
}
