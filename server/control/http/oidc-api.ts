/** The hub's routes for an OpenID provider: a sign-in there and back, and its back-channel logout. */
import { createRoute, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { utf8 } from '../../../protocol/bytes.ts';
import { ApiError } from '../api-error.ts';
import type { ChannelDesk } from '../channel-desk.ts';
import type { Context } from '../context.ts';
import type { OidcProvider } from '../oidc/provider.ts';
import { beginOidc, finishOidc } from '../oidc/sign-in.ts';
import { spendNonce } from '../signed-request.ts';
import { bytes, encodeBytes } from './bytes-field.ts';
import { signedIn, writeLease } from './lease-cookie.ts';
import type { CallerLimits } from './rate-limit.ts';
import { type ApiApp, answers, callerOf, refuse, takes } from './respond.ts';
import { entered, loginBeginRequest, posture, providerBegun } from './schemas.ts';

/** Where the provider sends people back to, and where it says that somebody signed out there. */
export const oidcPaths = { callback: '/oidc/callback', logout: '/oidc/logout' } as const;

const maxLogoutBytes = 16 * 1_024;

export function addOidcApi(
  app: ApiApp,
  context: Context,
  desk: ChannelDesk,
  provider: OidcProvider | undefined,
  { strangers }: CallerLimits,
): void {
  const required = () => {
    if (provider === undefined) throw new ApiError('oidc_off');
    return provider;
  };
  const begin = createRoute({
    method: 'post',
    path: '/api/oidc/begin',
    request: takes(loginBeginRequest),
    responses: answers(providerBegun, 'where to sign in, and what the challenge is computed from afterwards'),
  });
  app.openapi(begin, async (exchange) => {
    strangers.require(callerOf(exchange));
    const begun = await beginOidc(context, required(), exchange.req.valid('json').devicePublicKey);
    return exchange.json({ ...encodeBytes(begun), rpId: context.config.rpId }, 200);
  });

  const query = z.string().regex(/^[\x21-\x7e]{1,8192}$/);
  const finish = createRoute({
    method: 'post',
    path: '/api/oidc/finish',
    request: takes(z.strictObject({ query, deviceSignature: bytes(64), posture })),
    responses: answers(entered, 'signed in by the provider; sets the lease cookie'),
  });
  app.openapi(finish, async (exchange) => {
    strangers.require(callerOf(exchange));
    const who = await signedIn(context, exchange).catch(() => undefined);
    const { leaseSecret, user, device } = await finishOidc(context, required(), who, exchange.req.valid('json'));
    if (leaseSecret !== null) writeLease(context, exchange, leaseSecret);
    // Groups of the provider may have come or gone.
    await desk.policy.reload();
    return exchange.json({ user, device }, 200);
  });
}

/**
 * Stands before everything that asks for JSON from our own pages: the provider sends a form, from elsewhere. Its token is its
 * own proof, and works once (OpenID Connect Back-Channel Logout 1.0, section 2.5).
 */
export function oidcLogout(
  context: Context,
  desk: ChannelDesk,
  provider: OidcProvider | undefined,
  { strangers }: CallerLimits,
): MiddlewareHandler {
  return async (exchange) => {
    try {
      if (provider === undefined) throw new ApiError('oidc_off');
      strangers.require(callerOf(exchange));
      const length = Number(exchange.req.header('content-length') ?? Number.NaN);
      if (Number.isNaN(length)) throw new ApiError('length_required');
      if (length > maxLogoutBytes) throw new ApiError('too_large');
      const token = new URLSearchParams(await exchange.req.text()).get('logout_token');
      if (token === null) throw new ApiError('malformed');
      const logout = await provider.logout(token);
      await spendNonce(context, 'oidc logout', utf8(logout.jti), logout.time + 120_000);
      await desk.revocations.providerSignOut(provider.settings.issuer, logout);
      return exchange.json({}, 200, { 'cache-control': 'no-store' });
    } catch (error) {
      return refuse(context, exchange, error);
    }
  };
}
