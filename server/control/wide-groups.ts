/**
 * Groups whose members may open every service, as policies are now (QHX-8). Who is in which group is a manager's duty, and
 * what a group may open is not: by the page a manager neither puts anybody into such a group nor makes a link into the
 * place of somebody who is in one, unless the manager may open as much. Whoever may open the data folder can.
 */
import { parseSpiffeId } from '../../protocol/spiffe.ts';
import { coversGroup, isWide } from '../policy/dangers.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { readPolicyContent } from './policy-content.ts';

/** @throws ApiError `group_needed` */
export async function refuseWiderGroups(context: Context, groups: readonly string[]): Promise<void> {
  if (context.actor === undefined || groups.length === 0) return;
  const actor = parseSpiffeId(context.actor);
  const own = actor?.kind === 'device' ? await groupsOf(context, actor.user) : [];
  const asked = groups.filter((group) => !own.includes(group));
  if (asked.length === 0) return;
  const content = await context.store.transaction().execute((transaction) => readPolicyContent(context, transaction));
  const now = context.clock.now();
  const isBeyond = (group: string) => isWide(content.policies, group, now) && !coversGroup(content, own, group, now);
  if (asked.some(isBeyond)) throw new ApiError('group_needed');
}

/** @throws ApiError `group_needed` */
export async function refuseOverGroups(context: Context, user: string): Promise<void> {
  await refuseWiderGroups(context, await groupsOf(context, user));
}

async function groupsOf({ store }: Context, user: string): Promise<string[]> {
  const rows = await store.selectFrom('user_groups').select('group_name').where('user_id', '=', user).execute();
  return rows.map(({ group_name }) => group_name);
}
