/** The hub's routes for a SAML provider: a sign-in there and back, the response that comes between, and our metadata. */
import { createRoute, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { ApiError } from '../api-error.ts';
import type { ChannelDesk } from '../channel-desk.ts';
import type { Context } from '../context.ts';
import type { SamlProvider } from '../saml/provider.ts';
import { beginSaml, finishSaml, refusedAnswer, takeResponse } from '../saml/sign-in.ts';
import { bytes, encodeBytes } from './bytes-field.ts';
import { signedIn, writeLease } from './lease-cookie.ts';
import type { CallerLimits } from './rate-limit.ts';
import { type ApiApp, answers, callerOf, noteRefusal, takes } from './respond.ts';
import { entered, loginBeginRequest, posture, providerBegun } from './schemas.ts';

/** Where browsers bring responses, where they go on from there, and our entity id. */
export const samlPaths = { acs: '/saml/acs', callback: '/saml/callback', metadata: '/saml/metadata' } as const;

const maxFormBytes = 128 * 1_024;

export interface SamlApiOptions extends CallerLimits {
  readonly context: Context;
  readonly desk: ChannelDesk;
  readonly saml: SamlProvider | undefined;
}

export function addSamlApi(app: ApiApp, { context, desk, saml, strangers }: SamlApiOptions): void {
  const begin = createRoute({
    method: 'post',
    path: '/api/saml/begin',
    request: takes(loginBeginRequest),
    responses: answers(providerBegun, 'where to sign in, and what the challenge is computed from afterwards'),
  });
  app.openapi(begin, async (exchange) => {
    strangers.require(callerOf(exchange));
    const begun = await beginSaml(context, required(saml), exchange.req.valid('json').devicePublicKey);
    return exchange.json({ ...encodeBytes(begun), rpId: context.config.rpId }, 200);
  });

  const answer = z.string().regex(/^[A-Za-z0-9._-]{1,128}$/);
  const finish = createRoute({
    method: 'post',
    path: '/api/saml/finish',
    request: takes(z.strictObject({ answer, deviceSignature: bytes(64), posture })),
    responses: answers(entered, 'signed in by the provider; sets the lease cookie'),
  });
  app.openapi(finish, async (exchange) => {
    strangers.require(callerOf(exchange));
    required(saml);
    const who = await signedIn(context, exchange).catch(() => undefined);
    const { leaseSecret, user, device } = await finishSaml(context, who, exchange.req.valid('json'));
    if (leaseSecret !== null) writeLease(context, exchange, leaseSecret);
    // Groups of the provider may have come or gone.
    await desk.policy.reload();
    return exchange.json({ user, device }, 200);
  });

  app.get(samlPaths.metadata, (exchange) =>
    exchange.body(required(saml).metadata(), 200, { 'content-type': 'application/samlmetadata+xml' }),
  );
}

/**
 * Stands before everything that asks for JSON from our own pages: the provider's page sends a form. Whatever comes of it, the
 * browser goes on at one address of ours, with what it has to sign in the fragment, which no server is told. RelayState
 * leads nowhere.
 */
export function samlResponses({ context, saml, strangers }: SamlApiOptions): MiddlewareHandler {
  return async (exchange) => {
    exchange.header('cache-control', 'no-store');
    try {
      strangers.require(callerOf(exchange));
      const answer = await takeResponse(context, required(saml), await formOf(exchange.req));
      return exchange.redirect(`${samlPaths.callback}#${answer}`, 303);
    } catch (error) {
      noteRefusal(context, exchange, error);
      return exchange.redirect(`${samlPaths.callback}#${refusedAnswer}`, 303);
    }
  };
}

function required(saml: SamlProvider | undefined): SamlProvider {
  if (saml === undefined) throw new ApiError('saml_off');
  return saml;
}

/** @throws ApiError `length_required`, `too_large`, `malformed` */
async function formOf(request: { header(name: string): string | undefined; text(): Promise<string> }) {
  const length = Number(request.header('content-length') ?? Number.NaN);
  if (Number.isNaN(length)) throw new ApiError('length_required');
  if (length > maxFormBytes) throw new ApiError('too_large');
  const form = new URLSearchParams(await request.text());
  const only = (name: string) => {
    const [value, ...more] = form.getAll(name);
    if (value === undefined || more.length > 0) throw new ApiError('malformed');
    return value;
  };
  return { response: only('SAMLResponse'), relayState: only('RelayState') };
}
