/**
 * The admin API's policies: those in force, and the tools to write others: check, explain, simulate. An answer to a draft
 * says what is wrong with it and where, so that an editor can show it; only `PUT` refuses.
 */
import { z } from '@hono/zod-openapi';
import { storableField } from '../../channel/fields.ts';
import { actions, policySchema, policySignals } from '../../policy/schema.ts';
import type { ChannelDesk } from '../channel-desk.ts';
import type { Context } from '../context.ts';
import { listPolicies, replacePolicies } from '../policies.ts';
import { amrNamesKnown, checkDraft, explainFor, readGiven } from '../policy-tools.ts';
import { simulate } from '../simulation.ts';
import { route, routeTaking } from './admin-route.ts';
import { change, changeJson, danger } from './change-api.ts';
import { type ApiApp, actingFor } from './respond.ts';

const policyText = z.string().max(100_000);
const asText = z.strictObject({ text: policyText });
const asMap = z.strictObject({ map: z.record(z.string(), policyText) });
const given = z.union([asText, asMap]);
const givenOf = (body: z.infer<typeof given>) => ('text' in body ? body.text : body.map);

const place = { policy: z.string().optional(), line: z.number().optional(), column: z.number().optional() };
const remark = z.object({ message: z.string(), ...place });
const checked = z
  .object({
    policies: z.array(z.object({ id: z.string(), effect: z.enum(['permit', 'forbid']), text: z.string() })),
    faults: z.array(remark.extend({ code: z.string() })),
    warnings: z.array(remark),
    difference: z.object({
      added: z.array(z.string()),
      removed: z.array(z.string()),
      changed: z.array(z.string()),
    }),
    dangers: z.array(danger),
  })
  .openapi('CheckedPolicies', { description: 'lines and columns from 1; without faults it can be put in force' });

/** Dangerous ones wait for two administrators, and the old ones stay in force. */
const replaced = z.union([
  z.object({ state: z.literal('inForce'), policies: z.array(z.string()), epoch: z.number() }),
  z.object({ state: z.literal('waiting'), change, epoch: z.number() }),
]);

const word = storableField(256);
const signals = z.strictObject({
  ...Object.fromEntries(
    Object.keys(policySignals).map((name) => [name, z.union([word, z.number().int(), z.boolean()])]),
  ),
});
const asked = z
  .strictObject({
    user: word.optional(),
    link: word.optional(),
    use: z.number().int().min(1).optional(),
    device: word.optional(),
    service: word,
    action: z.enum(actions),
    at: z.number().int().nonnegative().max(8_640_000_000_000_000).optional(),
    amr: z.array(z.enum(amrNamesKnown)).max(16).optional(),
    authAgeS: z
      .number()
      .nonnegative()
      .max(2 ** 31)
      .optional(),
    postureAgeS: z
      .number()
      .nonnegative()
      .max(2 ** 31)
      .optional(),
    signals: signals.partial().optional(),
    kind: z.enum(['http', 'websocket', 'tcp', 'udp']).optional(),
    method: z
      .string()
      .regex(/^[A-Z]{1,32}$/)
      .optional(),
    path: z.string().max(1_024).optional(),
    draft: given.optional(),
  })
  .refine(({ user, link }) => (user === undefined) !== (link === undefined), 'asks about a person or about a guest');
const explained = z.object({
  decision: z.enum(['allow', 'deny']),
  policies: z.array(z.string()),
  lacks: z.literal('stepUp').optional(),
  considered: z.array(
    z.object({
      id: z.string(),
      effect: z.enum(['permit', 'forbid']),
      outcome: z.enum(['applies', 'falls-short', 'errs']),
      error: z.string().optional(),
      text: z.string(),
    }),
  ),
});

const simulationLimit = 20_000;
const simulated = z.strictObject({
  draft: given,
  /** Seconds back from now. */
  sinceS: z
    .number()
    .int()
    .min(1)
    .max(366 * 86_400)
    .default(7 * 86_400),
  limit: z
    .number()
    .int()
    .min(1)
    .max(simulationLimit)
    .default(simulationLimit / 2),
});
const outcome = z.object({ decision: z.enum(['allow', 'deny', 'stepUp']), policies: z.array(z.string()) });
const count = z.number();
const simulation = z
  .object({
    ...{ replayed: count, changed: count, decidedByOthers: count, driftedSince: count },
    skipped: z.object({ not_recorded: count, not_by_policy: count, principal_gone: count, service_gone: count }),
    ...{ from: count.nullable(), to: count.nullable(), complete: z.boolean(), truncated: z.boolean() },
    changes: z.array(
      z.object({
        ...{ actor: z.string(), name: z.string(), service: z.string(), action: z.enum(actions) },
        ...{ method: z.string().optional(), path: z.string().optional(), before: outcome, after: outcome },
        ...{ count, first: count, last: count, events: z.array(count) },
      }),
    ),
  })
  .openapi('Simulation', { description: 'recorded decisions asked again of the policies in force and of a draft' });

export function addPolicies(app: ApiApp, context: Context, desk: ChannelDesk): void {
  const listed = z.object({ policies: z.record(z.string(), z.string()) });
  app.openapi(route('get', '/admin/policies', listed), async (exchange) =>
    exchange.json({ policies: await listPolicies(context) }, 200),
  );
  app.openapi(route('get', '/admin/policies/schema', z.object({ schema: z.string() })), (exchange) =>
    exchange.json({ schema: policySchema }, 200),
  );
  app.openapi(routeTaking('put', '/admin/policies', given, replaced), async (exchange) => {
    const outcome = await replacePolicies(
      actingFor(context, exchange),
      desk.policy,
      givenOf(exchange.req.valid('json')),
    );
    const { epoch } = desk.policy;
    if (outcome.state === 'inForce') return exchange.json({ ...outcome, epoch }, 200);
    return exchange.json({ state: outcome.state, change: changeJson(outcome.change), epoch }, 200);
  });
  app.openapi(routeTaking('post', '/admin/policies/check', given, checked), (exchange) => {
    const { policies, faults, warnings, difference, dangers } = checkDraft(
      context,
      desk.policy,
      givenOf(exchange.req.valid('json')),
    );
    const answer = { policies: [...policies], faults: [...faults], warnings: [...warnings], difference };
    return exchange.json({ ...answer, dangers: [...dangers] }, 200);
  });
  app.openapi(routeTaking('post', '/admin/policies/explain', asked, explained), (exchange) => {
    const { draft, ...question } = exchange.req.valid('json');
    const request = { ...question, ...(draft !== undefined && { draft: givenOf(draft) }) };
    const { considered, ...decided } = explainFor(context, desk.policy, request);
    return exchange.json({ ...decided, considered: [...considered] }, 200);
  });
  app.openapi(routeTaking('post', '/admin/policies/simulate', simulated, simulation), async (exchange) => {
    const { draft, sinceS, limit } = exchange.req.valid('json');
    const policies = readGiven(givenOf(draft));
    const since = context.clock.now() - sinceS * 1_000;
    const found = await simulate(context, desk.policy.content, policies, { since, limit });
    return exchange.json({ ...found, changes: [...found.changes] }, 200);
  });
}
