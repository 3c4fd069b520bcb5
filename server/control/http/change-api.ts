/** Changes that wait for two administrators: on the hub, where they sign them, and for the owner of the data folder, who lists. */
import { createRoute, z } from '@hono/zod-openapi';
import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import { leastDays } from '../../audit/retention.ts';
import {
  beginApproval,
  type CarryOuts,
  finishApproval,
  listChanges,
  refuseChange,
  requireApprover,
  type ShownChange,
} from '../changes.ts';
import type { ChannelDesk } from '../channel-desk.ts';
import type { Context } from '../context.ts';
import { approvedPolicies } from '../policies.ts';
import { approvedRetention, mostDays, requestRetention, retentionInForce } from '../retention.ts';
import { approvedRotation, requestRotation } from '../rotate.ts';
import { named, route, routeTaking } from './admin-route.ts';
import { encodeBytes, encodedBytes } from './bytes-field.ts';
import { byDeviceKey, callerBy } from './guards.ts';
import { signedIn } from './lease-cookie.ts';
import type { CallerLimits } from './rate-limit.ts';
import { type ApiApp, actingFor, answers, takes } from './respond.ts';
import { assertion, nothing } from './schemas.ts';

export const danger = z.object({
  code: z.enum(['allow_all', 'new_root', 'retention']),
  message: z.string(),
  policies: z.array(z.string()),
});
export const change = z
  .object({
    id: z.string(),
    kind: z.enum(['policy.replace', 'root.rotate', 'retention.set']),
    state: z.enum(['waiting', 'done', 'refused', 'outdated', 'expired']),
    dangers: z.array(danger),
    document: z.string(),
    requestedBy: z.string(),
    ...{ requestedAt: z.number(), expires: z.number(), needed: z.number() },
    approvals: z.array(z.object({ user: z.string(), name: z.string(), at: z.number() })),
  })
  .openapi('Change', { description: 'waits for two administrators; the document is what each of them signs' });
const changes = z.object({ changes: z.array(change) });
const rotation = z.strictObject({ dryRun: z.boolean() });
const rotationAsked = z.object({ from: z.string(), change: change.optional() });
const retention = z.strictObject({ days: z.number().int().min(leastDays).max(mostDays).nullable() });
/** `fault`: why what was approved is not in force (audit/retention.ts). */
const retentionAsked = z.object({
  days: z.number().nullable(),
  fault: z.string().optional(),
  change: change.optional(),
});
const id = z.strictObject({ change: z.string().regex(/^[0-9a-f]{24}$/) });

/** As the schema's own type, whose lists can be written. */
export function changeJson(shown: ShownChange): z.infer<typeof change> {
  return {
    ...shown,
    dangers: shown.dangers.map((one) => ({ ...one })),
    approvals: shown.approvals.map((one) => ({ ...one })),
  };
}

/** The owner of the data folder may see what waits, and refuse it; to approve takes people. It may ask for a new root and another retention. */
export function addChanges(app: ApiApp, context: Context): void {
  app.openapi(route('get', '/admin/changes', changes), async (exchange) =>
    exchange.json({ changes: (await listChanges(context)).map(changeJson) }, 200),
  );
  app.openapi(routeTaking('post', '/admin/root', rotation, rotationAsked), async (exchange) => {
    const { from, change } = await requestRotation(context, { actor: 'system', ...exchange.req.valid('json') });
    return exchange.json({ from, ...(change && { change: changeJson(change) }) }, 200);
  });
  app.openapi(route('get', '/admin/retention', retentionAsked), async (exchange) =>
    exchange.json(await retentionInForce(context), 200),
  );
  app.openapi(routeTaking('post', '/admin/retention', retention, retentionAsked), async (exchange) => {
    const { days: to } = exchange.req.valid('json');
    const asked = await requestRetention(context, { to, actor: 'system' });
    return exchange.json({ ...(await retentionInForce(context)), ...(asked && { change: changeJson(asked) }) }, 200);
  });
  const refuse = { ...route('delete', '/admin/changes/{name}', nothing), request: named };
  app.openapi(createRoute(refuse), async (exchange) => {
    await refuseChange(context, exchange.req.valid('param').name, 'system');
    return exchange.json({}, 200);
  });
}

/** Of policies by their snapshot, of a root by the welcome of a new connection. */
async function tellGateways(desk: ChannelDesk, kind: ShownChange['kind']): Promise<void> {
  if (kind === 'root.rotate') desk.gateways.reconnectAll();
  else if (kind === 'policy.replace') await desk.policy.reload();
}

export function addChangeApi(app: ApiApp, context: Context, desk: ChannelDesk, { people }: CallerLimits): void {
  const carryOuts: CarryOuts = {
    'policy.replace': approvedPolicies(context),
    'root.rotate': approvedRotation(context),
    'retention.set': approvedRetention(context),
  };

  const list = createRoute({
    method: 'get',
    path: '/api/changes',
    responses: answers(changes, 'what waits for administrators; for administrators'),
  });
  app.openapi(list, async (exchange) => {
    await requireApprover(context.store, await signedIn(context, exchange));
    return exchange.json({ changes: (await listChanges(context)).map(changeJson) }, 200);
  });

  const begin = createRoute({
    method: 'post',
    path: '/api/changes/begin',
    middleware: byDeviceKey(context),
    request: takes(id),
    responses: answers(z.object({ ceremony: z.string(), nonce: encodedBytes }), 'what the challenge is computed from'),
  });
  app.openapi(begin, async (exchange) => {
    const who = callerBy(exchange);
    people.require(who.user);
    return exchange.json(encodeBytes(await beginApproval(context, who, exchange.req.valid('json').change)), 200);
  });

  const finish = createRoute({
    method: 'post',
    path: '/api/changes/finish',
    middleware: byDeviceKey(context),
    request: takes(z.strictObject({ ceremony: z.string().regex(/^[0-9a-f]{24}$/), credential: assertion })),
    responses: answers(change, 'approved by this person, and with the last approval in effect'),
  });
  app.openapi(finish, async (exchange) => {
    const who = callerBy(exchange);
    const { ceremony, credential } = exchange.req.valid('json');
    // The schema has checked the shape; the library's type differs in optional fields spelled undefined.
    const proof = { ceremony, credential: credential as AuthenticationResponseJSON };
    const approved = await finishApproval(actingFor(context, exchange), carryOuts, who, proof);
    if (approved.state === 'done') await tellGateways(desk, approved.kind);
    return exchange.json(changeJson(approved), 200);
  });

  const refuse = createRoute({
    method: 'post',
    path: '/api/changes/refuse',
    middleware: byDeviceKey(context),
    request: takes(id),
    responses: answers(nothing, 'it will not happen'),
  });
  app.openapi(refuse, async (exchange) => {
    const who = callerBy(exchange);
    await requireApprover(context.store, who);
    await refuseChange(actingFor(context, exchange), exchange.req.valid('json').change, who.spiffeId);
    return exchange.json({}, 200);
  });
}
