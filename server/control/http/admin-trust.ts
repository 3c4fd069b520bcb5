/** The admin API's keys of the installation, and its audit log: read, looked through, taken away. */
import { Readable } from 'node:stream';
import { createRoute, z } from '@hono/zod-openapi';
import { roleNumber } from '../../../protocol/pins.ts';
import { listEvents } from '../audit-query.ts';
import type { ChannelDesk } from '../channel-desk.ts';
import type { Context } from '../context.ts';
import { trustState } from '../trust-state.ts';
import { route, routeTaking } from './admin-route.ts';
import { auditPage, auditQuery, done } from './admin-schemas.ts';
import { type ApiApp, answers } from './respond.ts';

// The record has these keys and no others.
const roles = Object.keys(roleNumber) as [keyof typeof roleNumber, ...(keyof typeof roleNumber)[]];
const trust = z
  .object({
    roots: z.array(z.object({ fingerprint: z.string(), inForce: z.boolean() })),
    nextRoot: z.string(),
    keys: z.array(
      z.object({
        ...{ role: z.enum(roles), id: z.string(), notBefore: z.number(), notAfter: z.number(), signs: z.boolean() },
      }),
    ),
    authority: z.object({ fingerprint: z.string(), notAfter: z.number() }),
    tokenKeys: z.array(z.string()),
    rotation: z.object({ requestedAt: z.number(), approvals: z.number(), needed: z.number() }).optional(),
  })
  .openapi('TrustState');
const auditState = z
  .object({
    ...{ first: z.number(), last: z.number(), anchors: z.number() },
    anchor: z.object({ position: z.number(), at: z.number() }).optional(),
    days: z.number().optional().openapi({ description: 'how long events are kept; missing for ever' }),
    retentionFault: z.string().optional(),
    check: z
      .object({
        ...{ state: z.enum(['running', 'whole', 'broken']), at: z.number() },
        /** Of a log that is whole. */
        whole: z.object({ last: z.number(), anchors: z.number(), fingerprint: z.string() }).optional(),
        /** Of one that is not. */
        broken: z.object({ fault: z.string(), message: z.string() }).optional(),
      })
      .optional(),
  })
  .openapi('AuditState');

export function addTrust(app: ApiApp, context: Context): void {
  app.openapi(route('get', '/admin/keys', trust), async (exchange) => exchange.json(await trustState(context), 200));
}

export function addAudit(app: ApiApp, context: Context, { audit }: Pick<ChannelDesk, 'audit'>): void {
  const list = createRoute({
    method: 'get',
    path: '/admin/audit',
    request: { query: auditQuery },
    responses: answers(auditPage, 'events in the order of the chain'),
  });
  app.openapi(list, async (exchange) => exchange.json(await listEvents(context, exchange.req.valid('query')), 200));
  app.openapi(route('get', '/admin/audit/state', auditState), async (exchange) =>
    exchange.json(await audit.state(), 200),
  );
  app.openapi(routeTaking('post', '/admin/audit/verify', z.strictObject({}), done), (exchange) => {
    audit.verify();
    return exchange.json({}, 200);
  });
  app.get('/admin/audit/export', (exchange) => {
    // A fault on the way ends the connection, so that half a log is not taken for a whole one.
    const lines = Readable.toWeb(Readable.from(audit.lines(exchange.get('actor'))));
    // One class, of which Node and the web have types of their own.
    return exchange.body(lines as ReadableStream, 200, {
      'content-type': 'application/x-ndjson',
      'content-disposition': 'attachment; filename="latchkey-audit.ndjson"',
    });
  });
}
