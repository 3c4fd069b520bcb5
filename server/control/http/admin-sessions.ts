/** The admin API's sessions, suspended services, revoked connectors, and the receipts of what was cut. */
import { createRoute, z } from '@hono/zod-openapi';
import type { ChannelDesk } from '../channel-desk.ts';
import type { Context } from '../context.ts';
import { listReceipts, readReceipt } from '../receipts.ts';
import { listSessions } from '../sessions.ts';
import { named, route } from './admin-route.ts';
import { done, page, reason } from './admin-schemas.ts';
import { encodeBytes, encodedBytes } from './bytes-field.ts';
import { type ApiApp, actingFor, takes } from './respond.ts';

const session = z
  .object({
    ...{ id: z.string(), actor: z.string(), name: z.string(), service: z.string() },
    ...{ since: z.number(), endsAt: z.number(), credentialEnds: z.number() },
    traffic: z
      .object({
        ...{ address: z.string(), transport: z.string() },
        ...{ streams: z.number(), bytesIn: z.number(), bytesOut: z.number() },
      })
      .optional()
      .openapi({ description: 'as the gateway counts it; missing while no tunnel stands' }),
  })
  .openapi('Session');
const receipt = z
  .object({
    ...{ id: z.string(), session: z.string(), actor: z.string(), service: z.string() },
    ...{ streams: z.number(), createdAt: z.number() },
  })
  .openapi('Receipt');
const nothing = z.strictObject({});

export function addSessions(app: ApiApp, context: Context, desk: ChannelDesk): void {
  const answer = z.object({ sessions: z.array(session), total: z.number() });
  const list = { ...route('get', '/admin/sessions', answer), request: { query: page } };
  app.openapi(createRoute(list), async (exchange) =>
    exchange.json(await listSessions(context, desk.live, exchange.req.valid('query')), 200),
  );
  const revoke = { ...route('delete', '/admin/sessions/{name}', done), request: named };
  app.openapi(createRoute(revoke), async (exchange) => {
    await desk.revocations.by(actingFor(context, exchange)).session(exchange.req.valid('param').name);
    return exchange.json({}, 200);
  });
  const connector = { ...route('delete', '/admin/connectors/{name}', done), request: { ...named, query: reason } };
  app.openapi(createRoute(connector), async (exchange) => {
    const id = await desk.revocations
      .by(actingFor(context, exchange))
      .connector(exchange.req.valid('param').name, exchange.req.valid('query').reason);
    desk.connectors.drop(id);
    await desk.policy.reload();
    return exchange.json({}, 200);
  });
  addSuspension(app, context, desk);
  addReceipts(app, context);
}

function addSuspension(app: ApiApp, context: Context, desk: ChannelDesk): void {
  const given = takes(z.strictObject({ reason: reason.shape.reason }));
  const suspend = { ...route('post', '/admin/services/{name}/suspend', done), request: { ...named, ...given } };
  app.openapi(createRoute(suspend), async (exchange) => {
    await desk.revocations
      .by(actingFor(context, exchange))
      .service(exchange.req.valid('param').name, exchange.req.valid('json').reason);
    await desk.policy.reload();
    return exchange.json({}, 200);
  });
  const resume = { ...route('post', '/admin/services/{name}/resume', done), request: { ...named, ...takes(nothing) } };
  app.openapi(createRoute(resume), async (exchange) => {
    await desk.revocations.by(actingFor(context, exchange)).resume(exchange.req.valid('param').name);
    await desk.policy.reload();
    return exchange.json({}, 200);
  });
}

function addReceipts(app: ApiApp, context: Context): void {
  app.openapi(route('get', '/admin/receipts', z.object({ receipts: z.array(receipt) })), async (exchange) =>
    exchange.json({ receipts: await listReceipts(context) }, 200),
  );
  const read = { ...route('get', '/admin/receipts/{name}', z.object({ object: encodedBytes })), request: named };
  app.openapi(createRoute(read), async (exchange) =>
    exchange.json(encodeBytes({ object: await readReceipt(context, exchange.req.valid('param').name) }), 200),
  );
}
