/** The hub's routes of a sign-in at a provider elsewhere: the way there, and what came back. */
import { createRoute, z } from '@hono/zod-openapi';
import type { ChannelDesk } from '../channel-desk.ts';
import type { Context } from '../context.ts';
import type { IdpProtocol } from '../idp/identity.ts';
import type { ProviderBegun, ProviderProof } from '../idp/sign-in.ts';
import type { SignedIn } from '../leases.ts';
import type { Entered } from '../proof.ts';
import { bytes, encodeBytes } from './bytes-field.ts';
import { signedIn, writeLease } from './lease-cookie.ts';
import type { CallerLimits } from './rate-limit.ts';
import { type ApiApp, answers, callerOf, takes } from './respond.ts';
import { entered, loginBeginRequest, posture, providerBegun } from './schemas.ts';

/** How one of them is spoken to. */
export interface SpokenProvider {
  readonly protocol: IdpProtocol;
  /** What the browser hands in of what came back. */
  readonly answer: RegExp;
  begin(devicePublicKey: Uint8Array): Promise<ProviderBegun>;
  /** @param who is signed in in this browser, if anybody */
  finish(who: SignedIn | undefined, proof: ProviderProof): Promise<Entered>;
}

export interface ProviderApiOptions extends CallerLimits {
  readonly context: Context;
  readonly desk: ChannelDesk;
}

/** Adds `/api/oidc/…` or `/api/saml/…`. */
export function addProviderApi(
  app: ApiApp,
  { context, desk, strangers }: ProviderApiOptions,
  provider: SpokenProvider,
): void {
  const begin = createRoute({
    method: 'post',
    path: `/api/${provider.protocol}/begin`,
    request: takes(loginBeginRequest),
    responses: answers(providerBegun, 'where to sign in, and what the challenge is computed from afterwards'),
  });
  app.openapi(begin, async (exchange) => {
    strangers.require(callerOf(exchange));
    const begun = await provider.begin(exchange.req.valid('json').devicePublicKey);
    return exchange.json({ ...encodeBytes(begun), rpId: context.config.rpId }, 200);
  });

  const answer = z.string().regex(provider.answer);
  const finish = createRoute({
    method: 'post',
    path: `/api/${provider.protocol}/finish`,
    request: takes(z.strictObject({ answer, deviceSignature: bytes(64), posture })),
    responses: answers(entered, 'signed in by the provider; sets the lease cookie'),
  });
  app.openapi(finish, async (exchange) => {
    strangers.require(callerOf(exchange));
    const who = await signedIn(context, exchange).catch(() => undefined);
    const { leaseSecret, user, device } = await provider.finish(who, exchange.req.valid('json'));
    if (leaseSecret !== null) writeLease(context, exchange, leaseSecret);
    // Groups of the provider may have come or gone.
    await desk.policy.reload();
    return exchange.json({ user, device }, 200);
  });
}
