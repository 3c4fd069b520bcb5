/** The admin API's links and knocks. */
import { createRoute, z } from '@hono/zod-openapi';
import { storableField } from '../../channel/fields.ts';
import type { ChannelDesk } from '../channel-desk.ts';
import type { Context } from '../context.ts';
import { createLink, listLinks, showLink } from '../links.ts';
import { named, route, routeTaking } from './admin-route.ts';
import { done, page, reason } from './admin-schemas.ts';
import { type ApiApp, actingFor, takes } from './respond.ts';

const text = storableField(4_096);

const newLink = z.strictObject({
  services: z.array(text).max(256),
  ttlS: z.number(),
  uses: z.number(),
  kiosk: z.boolean().default(false),
  readOnly: z.boolean().default(false),
  approval: z.boolean().default(false),
  hours: z.array(text).max(256).default([]),
  zone: text.default('UTC'),
  recipient: text.optional(),
});
const link = z
  .object({
    id: z.string(),
    services: z.array(z.string()),
    expiresAt: z.number(),
    maxUses: z.number(),
    used: z.number(),
    state: z.enum(['live', 'used', 'expired', 'revoked']),
    kiosk: z.boolean(),
    readOnly: z.boolean(),
    approval: z.boolean(),
    hours: z.array(z.string()),
    zone: z.string(),
    recipient: z.string().optional(),
    createdAt: z.number(),
    revokedAt: z.number().optional(),
    reason: z.string().optional(),
  })
  .openapi('Link');
const created = z.object({ link, url: z.string().openapi({ description: 'holds the secret; told this once' }) });
const knock = z
  .object({
    id: z.string(),
    link: z.string(),
    code: z.string(),
    name: z.string(),
    address: z.string(),
    at: z.number(),
  })
  .openapi('Knock');
/** Seconds to wait for a knock when nobody is there. */
const waiting = z.object({ wait: z.coerce.number().min(0).max(10).default(0) });

export function addLinks(app: ApiApp, context: Context, desk: ChannelDesk): void {
  app.openapi(routeTaking('post', '/admin/links', newLink, created), async (exchange) => {
    const made = await createLink(actingFor(context, exchange), exchange.req.valid('json'));
    await desk.policy.reload();
    return exchange.json(made, 200);
  });
  const answer = z.object({ links: z.array(link), total: z.number() });
  const list = { ...route('get', '/admin/links', answer), request: { query: page } };
  app.openapi(createRoute(list), async (exchange) =>
    exchange.json(await listLinks(context, exchange.req.valid('query')), 200),
  );
  const preview = { ...route('get', '/admin/links/{name}', link), request: named };
  app.openapi(createRoute(preview), async (exchange) =>
    exchange.json(await showLink(context, exchange.req.valid('param').name), 200),
  );
  const revoke = { ...route('delete', '/admin/links/{name}', done), request: { ...named, query: reason } };
  app.openapi(createRoute(revoke), async (exchange) => {
    await desk.revocations
      .by(actingFor(context, exchange))
      .link(exchange.req.valid('param').name, exchange.req.valid('query').reason);
    await desk.policy.reload();
    return exchange.json({}, 200);
  });
}

export function addKnocks(app: ApiApp, context: Context, { knocks }: ChannelDesk): void {
  const list = { ...route('get', '/admin/knocks', z.object({ knocks: z.array(knock) })), request: { query: waiting } };
  app.openapi(createRoute(list), async (exchange) => {
    const longestMs = exchange.req.valid('query').wait * 1_000;
    const until = new AbortController();
    const cancel = context.clock.after(longestMs, () => until.abort());
    const changed = new Promise<void>((resolve) => {
      knocks.watch(resolve, until.signal);
      until.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    try {
      if (longestMs > 0 && (await knocks.waiting()).length === 0) await changed;
      return exchange.json({ knocks: await knocks.waiting() }, 200);
    } finally {
      cancel();
      until.abort();
    }
  });
  for (const [verb, approved] of [
    ['approve', true],
    ['refuse', false],
  ] as const) {
    const path = `/admin/knocks/{name}/${verb}` as const;
    const decide = { ...route('post', path, done), request: { ...named, ...takes(z.strictObject({})) } };
    app.openapi(createRoute(decide), async (exchange) => {
      await knocks.decide(exchange.req.valid('param').name, approved, exchange.get('actor'));
      return exchange.json({}, 200);
    });
  }
}
