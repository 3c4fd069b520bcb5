/**
 * Who calls comes before what they sent: a guard stands before the schema of a route's body, so that whoever is nobody
 * is told that, and nothing of what the route would take.
 */
import type { Context as Exchange, MiddlewareHandler } from 'hono';
import type { Context } from '../context.ts';
import type { SignedIn } from '../leases.ts';
import { guestSignedIn, signedBy } from './lease-cookie.ts';
import type { ApiEnv } from './respond.ts';

/** Stands before the route's schema (`middleware` of its description), and keeps who calls for {@link callerBy}. */
type Guard = MiddlewareHandler<ApiEnv>;

/** The device key signs the request. @throws ApiError `unauthenticated`, `signature_invalid`, `request_stale`, `request_replayed` */
export function byDeviceKey(context: Context): Guard {
  return async (exchange, next) => {
    exchange.set('who', await signedBy(context, exchange));
    await next();
  };
}

/** A kiosk's guest, whose link's secret is in the body. @throws ApiError `unauthenticated` */
export function byGuestCookie(context: Context): Guard {
  return async (exchange, next) => {
    exchange.set('who', await guestSignedIn(context, exchange));
    await next();
  };
}

/** Whom the guard of this route let through. @throws TypeError for a route without a guard */
export function callerBy(exchange: Exchange<ApiEnv>): SignedIn {
  const who = exchange.get('who');
  if (who === undefined) throw new TypeError('this route has no guard');
  return who;
}
