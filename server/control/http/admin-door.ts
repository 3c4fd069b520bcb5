/**
 * The admin API for administrators' pages, on the hub's origin: with the passkey of an enrolled device, each change signed
 * by the device key, and each area for the roles whose duty it is.
 */
import type { MiddlewareHandler } from 'hono';
import { requireDuty } from '../admin-roles.ts';
import type { ChannelDesk } from '../channel-desk.ts';
import type { Context } from '../context.ts';
import { addAdminRoutes } from './admin-api.ts';
import { signedBy, signedIn } from './lease-cookie.ts';
import { RateLimit } from './rate-limit.ts';
import { type ApiApp, type ApiEnv, newApi } from './respond.ts';

/** A page asks for a window of rows as it scrolls, and every other second what is open. */
export const adminRate = { burst: 240, perSecond: 8 };

/** Adds `/api/admin/…`. */
export function addAdminDoor(hub: ApiApp, context: Context, desk: ChannelDesk): void {
  const app = newApi(context);
  const limit = new RateLimit(adminRate, context.clock);
  app.use('/admin/*', admit(context, limit));
  addAdminRoutes(app, context, desk);
  hub.route('/api', app);
}

function admit(context: Context, limit: RateLimit): MiddlewareHandler<ApiEnv> {
  return async (exchange, next) => {
    const isRead = exchange.req.method === 'GET';
    const who = await (isRead ? signedIn : signedBy)(context, exchange);
    limit.require(who.user);
    await requireDuty(context, who, exchange.req.path.slice('/api/admin/'.length), isRead);
    exchange.set('who', who);
    exchange.set('actor', who.spiffeId);
    await next();
  };
}
