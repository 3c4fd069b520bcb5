/** The hub's routes for a person's own devices: what they are, their names, losing one, and asking for another. */
import { createRoute, z } from '@hono/zod-openapi';
import type { ChannelDesk } from '../channel-desk.ts';
import type { Context } from '../context.ts';
import { listDevices, nameDevice } from '../devices.ts';
import { requirePasskey } from '../leases.ts';
import { inviteOwnDevice } from '../people.ts';
import { device } from './admin-devices.ts';
import { byDeviceKey, callerBy } from './guards.ts';
import { signedIn } from './lease-cookie.ts';
import type { CallerLimits } from './rate-limit.ts';
import { type ApiApp, actingFor, answers, takes } from './respond.ts';
import { nothing } from './schemas.ts';

const id = z.string().regex(/^[0-9a-f]{24}$/);

export function addDeviceApi(app: ApiApp, context: Context, desk: ChannelDesk, { people }: CallerLimits): void {
  const list = createRoute({
    method: 'get',
    path: '/api/devices',
    responses: answers(z.object({ devices: z.array(device) }), 'the devices of this person'),
  });
  app.openapi(list, async (exchange) => {
    const { user } = await signedIn(context, exchange);
    return exchange.json({ devices: (await listDevices(context, { user })).devices }, 200);
  });

  const rename = createRoute({
    method: 'post',
    path: '/api/devices/name',
    middleware: byDeviceKey(context),
    request: takes(z.strictObject({ device: id, name: z.string().max(256) })),
    responses: answers(nothing, 'the device has this name'),
  });
  app.openapi(rename, async (exchange) => {
    const who = callerBy(exchange);
    requirePasskey(who);
    const given = exchange.req.valid('json');
    await nameDevice(actingFor(context, exchange), given.device, given.name, { actor: who.spiffeId, owner: who.user });
    return exchange.json({}, 200);
  });

  const revoke = createRoute({
    method: 'post',
    path: '/api/devices/revoke',
    middleware: byDeviceKey(context),
    request: takes(z.strictObject({ device: id })),
    responses: answers(nothing, 'the device is out, and every tunnel of it'),
  });
  app.openapi(revoke, async (exchange) => {
    const who = callerBy(exchange);
    requirePasskey(who);
    await desk.revocations.by(actingFor(context, exchange)).ownDevice(who, exchange.req.valid('json').device);
    return exchange.json({}, 200);
  });

  const invite = createRoute({
    method: 'post',
    path: '/api/devices/invite',
    middleware: byDeviceKey(context),
    request: takes(nothing),
    responses: answers(
      z.object({ url: z.string(), expires: z.number() }),
      'a one-time enrolment link for another device of this person, which an administrator then approves',
    ),
  });
  app.openapi(invite, async (exchange) => {
    const who = callerBy(exchange);
    requirePasskey(who);
    people.require(who.user);
    return exchange.json(await inviteOwnDevice(actingFor(context, exchange), who), 200);
  });
}
