/** The admin API's federations with other trust domains. */
import { createRoute, z } from '@hono/zod-openapi';
import { storableField } from '../../channel/fields.ts';
import type { ChannelDesk } from '../channel-desk.ts';
import type { Context } from '../context.ts';
import { endFederation, federate, listFederations } from '../federations.ts';
import { named, route, routeTaking } from './admin-route.ts';
import { done } from './admin-schemas.ts';
import { type ApiApp, actingFor } from './respond.ts';

const newFederation = z.strictObject({
  trustDomain: storableField(255),
  bundle: z.string().max(100_000),
  namespaces: z.array(storableField(63)).max(256),
  ttlS: z.number().int(),
});
const federation = z
  .object({
    trustDomain: z.string(),
    namespaces: z.array(z.string()),
    expires: z.number(),
    expired: z.boolean(),
    authorities: z.number(),
    sequence: z.number().optional(),
    createdBy: z.string(),
  })
  .openapi('Federation', { description: 'another trust domain, believed in these namespaces until it expires' });

export function addFederations(app: ApiApp, context: Context, desk: ChannelDesk): void {
  app.openapi(route('get', '/admin/federations', z.object({ federations: z.array(federation) })), async (exchange) =>
    exchange.json({ federations: await listFederations(context) }, 200),
  );
  app.openapi(routeTaking('post', '/admin/federations', newFederation, federation), async (exchange) => {
    const made = await federate(actingFor(context, exchange), exchange.req.valid('json'));
    await desk.policy.reload();
    return exchange.json(made, 200);
  });
  const end = { ...route('delete', '/admin/federations/{name}', done), request: named };
  app.openapi(createRoute(end), async (exchange) => {
    await endFederation(actingFor(context, exchange), exchange.req.valid('param').name);
    await desk.policy.reload();
    return exchange.json({}, 200);
  });
}
