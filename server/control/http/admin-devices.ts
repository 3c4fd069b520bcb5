/** The admin API's devices. */
import { createRoute, z } from '@hono/zod-openapi';
import type { ChannelDesk } from '../channel-desk.ts';
import type { Context } from '../context.ts';
import { approveDevice, archiveDevice, listDevices, nameDevice } from '../devices.ts';
import { named, route } from './admin-route.ts';
import { done, page, reason } from './admin-schemas.ts';
import { type ApiApp, actingFor, takes } from './respond.ts';

export const device = z
  .object({
    id: z.string(),
    user: z.string(),
    userName: z.string(),
    name: z.string(),
    state: z.enum(['waiting', 'approved', 'revoked']),
    archived: z.boolean(),
    createdAt: z.number(),
    lastSignIn: z.number().optional(),
    aaguid: z.string().optional(),
    backupEligible: z.boolean().optional(),
    attestation: z.string().optional(),
    attested: z.boolean().optional(),
    revokedAt: z.number().optional(),
    reason: z.string().optional(),
  })
  .openapi('Device');
const devices = z.object({ devices: z.array(device), total: z.number() });
const which = page.extend({ archived: z.enum(['true', 'false']).default('false') });
const nothing = z.strictObject({});

export function addDevices(app: ApiApp, context: Context, desk: ChannelDesk): void {
  const list = { ...route('get', '/admin/devices', devices), request: { query: which } };
  app.openapi(createRoute(list), async (exchange) => {
    const { archived, ...asked } = exchange.req.valid('query');
    return exchange.json(await listDevices(context, { ...asked, archived: archived === 'true' }), 200);
  });
  const revoke = { ...route('delete', '/admin/devices/{name}', done), request: { ...named, query: reason } };
  app.openapi(createRoute(revoke), async (exchange) => {
    await desk.revocations
      .by(actingFor(context, exchange))
      .device(exchange.req.valid('param').name, exchange.req.valid('query').reason);
    return exchange.json({}, 200);
  });
  const newName = takes(z.strictObject({ name: z.string().max(256) }));
  const rename = { ...route('post', '/admin/devices/{name}/name', done), request: { ...named, ...newName } };
  app.openapi(createRoute(rename), async (exchange) => {
    const { name } = exchange.req.valid('json');
    await nameDevice(actingFor(context, exchange), exchange.req.valid('param').name, name, { actor: 'system' });
    return exchange.json({}, 200);
  });
  for (const [verb, act] of [
    ['approve', approveDevice],
    ['archive', archiveDevice],
  ] as const) {
    const path = `/admin/devices/{name}/${verb}` as const;
    const change = { ...route('post', path, done), request: { ...named, ...takes(nothing) } };
    app.openapi(createRoute(change), async (exchange) => {
      await act(actingFor(context, exchange), exchange.req.valid('param').name);
      // Policies may ask about a device that signs in.
      await desk.policy.reload();
      return exchange.json({}, 200);
    });
  }
}
