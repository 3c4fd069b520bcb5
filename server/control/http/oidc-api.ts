/** The hub's routes for an OpenID provider: a sign-in there and back, and its back-channel logout. */
import type { MiddlewareHandler } from 'hono';
import { utf8 } from '../../../protocol/bytes.ts';
import { ApiError } from '../api-error.ts';
import type { OidcProvider } from '../oidc/provider.ts';
import { beginOidc, finishOidc } from '../oidc/sign-in.ts';
import { spendNonce } from '../signed-request.ts';
import { addProviderApi, type ProviderApiOptions } from './provider-api.ts';
import { type ApiApp, callerOf, refuse } from './respond.ts';

/** Where the provider sends people back to, and where it says that somebody signed out there. */
export const oidcPaths = { callback: '/oidc/callback', logout: '/oidc/logout' } as const;

const maxLogoutBytes = 16 * 1_024;

export interface OidcApiOptions extends ProviderApiOptions {
  readonly oidc: OidcProvider | undefined;
}

export function addOidcApi(app: ApiApp, options: OidcApiOptions): void {
  const { context, oidc } = options;
  addProviderApi(app, options, {
    protocol: 'oidc',
    // The query of the address that the provider sent the browser back to.
    answer: /^[\x21-\x7e]{1,8192}$/,
    begin: (devicePublicKey) => beginOidc(context, required(oidc), devicePublicKey),
    finish: (who, proof) => finishOidc(context, required(oidc), who, proof),
  });
}

/**
 * Stands before everything that asks for JSON from our own pages: the provider sends a form, from elsewhere. Its token is its
 * own proof, and works once (OpenID Connect Back-Channel Logout 1.0, section 2.5).
 */
export function oidcLogout({ context, desk, oidc, strangers }: OidcApiOptions): MiddlewareHandler {
  return async (exchange) => {
    try {
      const provider = required(oidc);
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

function required(oidc: OidcProvider | undefined): OidcProvider {
  if (oidc === undefined) throw new ApiError('oidc_off');
  return oidc;
}
