/**
 * The OpenID provider as a client sees it (OpenID Connect Core 1.0, authorization code flow with PKCE, nonce, state and
 * RFC 9207's issuer). The provider is believed about who signed in at it, and about nothing else. What openid-client says
 * of a failure may hold tokens: only its code goes on.
 */
import { readFileSync } from 'node:fs';
import { createRemoteJWKSet, type JWTVerifyGetKey, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { z } from 'zod';
import { isSafeUrl, type OidcSettings } from '../../oidc-settings.ts';
import { ApiError } from '../api-error.ts';
import type { IdpIdentity } from '../idp/identity.ts';

/** What one sign-in is bound by; kept by us, never told. */
export interface OidcFlow {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

const timeoutS = 10;
const clockToleranceS = 60;
const claim = z.string().min(1).max(256);
const printable = z.string().regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,128}$/u);
const claimsSchema = z.object({
  iss: z.string(),
  sub: claim,
  sid: claim.optional(),
  acr: printable.optional(),
  amr: z.array(printable).max(32).default([]),
  auth_time: z.number(),
});
const groupsSchema = z.array(printable).max(256);

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';
const logoutSchema = z.object({
  sub: claim.optional(),
  sid: claim.optional(),
  jti: claim,
  iat: z.number(),
  events: z.object({ [logoutEvent]: z.record(z.string(), z.unknown()) }),
  nonce: z.never().optional(),
});
export interface OidcLogout {
  readonly subject: string | undefined;
  readonly sid: string | undefined;
  readonly jti: string;
  /** ms */
  readonly time: number;
}

interface Ready {
  readonly configuration: client.Configuration;
  readonly keys: JWTVerifyGetKey;
}

export class OidcProvider {
  readonly settings: OidcSettings;
  readonly #redirectUri: string;
  #ready: Promise<Ready> | undefined;

  /** @param redirectUri as it is registered at the provider */
  constructor(settings: OidcSettings, redirectUri: string) {
    this.settings = settings;
    this.#redirectUri = redirectUri;
  }

  /** A new flow, and the address to send the person to. @throws ApiError `oidc_unreachable`, `oidc_weak` */
  async begin(flow: OidcFlow): Promise<URL> {
    const { configuration } = await this.#configured();
    const { scopes, maxAgeS, acrValues } = this.settings;
    return client.buildAuthorizationUrl(configuration, {
      redirect_uri: this.#redirectUri,
      response_type: 'code',
      scope: [...new Set(['openid', ...scopes])].join(' '),
      state: flow.state,
      nonce: flow.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(flow.verifier),
      code_challenge_method: 'S256',
      max_age: String(maxAgeS),
      ...(acrValues.length > 0 && { acr_values: acrValues.join(' ') }),
    });
  }

  /**
   * @param query of the address that the provider sent the person back to. @param now ms
   * @throws ApiError `oidc_refused`, `oidc_acr`, `oidc_unreachable`
   */
  async finish(query: string, flow: OidcFlow, now: number): Promise<IdpIdentity> {
    const { configuration } = await this.#configured();
    const returned = new URL(`${this.#redirectUri}?${query}`);
    try {
      const tokens = await client.authorizationCodeGrant(configuration, returned, {
        expectedState: flow.state,
        expectedNonce: flow.nonce,
        pkceCodeVerifier: flow.verifier,
        maxAge: this.settings.maxAgeS,
        idTokenExpected: true,
      });
      return this.#identity(tokens.claims() ?? {}, now);
    } catch (error) {
      throw error instanceof ApiError ? error : new ApiError('oidc_refused', { cause: codeOf(error) });
    }
  }

  /** A logout token (OpenID Connect Back-Channel Logout 1.0, section 2.6). @throws ApiError `oidc_refused` */
  async logout(token: string): Promise<OidcLogout> {
    const { keys } = await this.#configured();
    const { issuer, clientId, signingAlg } = this.settings;
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keys, {
        ...{ issuer, audience: clientId, algorithms: [signingAlg], clockTolerance: clockToleranceS, maxTokenAge: '2m' },
      });
      const { sub, sid, jti, iat } = logoutSchema.parse(payload);
      const isTyped = protectedHeader.typ === undefined || /^(logout\+jwt|JWT)$/i.test(protectedHeader.typ);
      if (!isTyped || (sub === undefined && sid === undefined)) throw new ApiError('oidc_refused');
      return { subject: sub, sid, jti, time: iat * 1_000 };
    } catch (error) {
      throw error instanceof ApiError ? error : new ApiError('oidc_refused', { cause: codeOf(error) });
    }
  }

  #identity(claims: object, now: number): IdpIdentity {
    const { iss, sub, sid, acr, amr, auth_time } = claimsSchema.parse(claims);
    // The library asks only how old it is; one in the future would stay young for as long as it pleases.
    if (auth_time * 1_000 > now + clockToleranceS * 1_000) throw new ApiError('oidc_refused');
    // `acr_values` is a wish: a provider may sign in by another class, and says so (Core, section 3.1.2.1).
    const { acrValues } = this.settings;
    if (acrValues.length > 0 && !acrValues.includes(acr ?? '')) throw new ApiError('oidc_acr');
    const groups = groupsSchema.parse((claims as Record<string, unknown>)[this.settings.groupsClaim] ?? []);
    return {
      ...{ issuer: iss, subject: sub, amr, groups, authenticatedAt: auth_time * 1_000 },
      ...(sid !== undefined && { sid }),
      ...(acr !== undefined && { acr }),
    };
  }

  /** What the provider says of itself, asked for at the first use; asked again after a failure. */
  #configured(): Promise<Ready> {
    this.#ready ??= this.#discover().catch((error: unknown) => {
      this.#ready = undefined;
      throw error instanceof ApiError ? error : new ApiError('oidc_unreachable', { cause: codeOf(error) });
    });
    return this.#ready;
  }

  async #discover(): Promise<Ready> {
    const { issuer, clientId, clientSecretFile, clientAuth, signingAlg } = this.settings;
    const secret = readFileSync(clientSecretFile, 'utf8').trim();
    const authentication = clientAuth === 'client_secret_post' ? client.ClientSecretPost : client.ClientSecretBasic;
    const isHttp = issuer.startsWith('http:');
    const configuration = await client.discovery(
      new URL(issuer),
      clientId,
      { id_token_signed_response_alg: signingAlg, require_auth_time: true, [client.clockTolerance]: clockToleranceS },
      authentication(secret),
      {
        timeout: timeoutS,
        execute: [client.enableNonRepudiationChecks, ...(isHttp ? [client.allowInsecureRequests] : [])],
      },
    );
    const metadata = configuration.serverMetadata();
    const weakness = weaknessOf(metadata, signingAlg);
    if (weakness !== undefined)
      throw new ApiError('oidc_weak', { message: `The sign-in provider is refused: ${weakness}.` });
    return { configuration, keys: createRemoteJWKSet(new URL(metadata.jwks_uri ?? '')) };
  }
}

/** Why a provider cannot be believed, in its own metadata; undefined where it can. */
export function weaknessOf(metadata: Partial<client.ServerMetadata>, signingAlg: string): string | undefined {
  const endpoints = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const;
  const unsafe = endpoints.find((name) => !isSafeUrl(String(metadata[name])));
  if (unsafe !== undefined) return `its ${unsafe} is not an https address`;
  if (metadata.response_types_supported?.includes('code') !== true) return 'it does not offer the code flow';
  if (metadata.code_challenge_methods_supported?.includes('S256') !== true) return 'it does not offer PKCE with S256';
  const algs = metadata.id_token_signing_alg_values_supported;
  if (!Array.isArray(algs) || !algs.includes(signingAlg)) return `it does not sign ID tokens by ${signingAlg}`;
  return undefined;
}

/** The kind of failure; the message may repeat what was sent. */
function codeOf(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined;
  return Object.assign(new Error(error.name), { code: 'code' in error ? String(error.code) : error.name });
}
