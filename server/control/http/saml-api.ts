/** The hub's routes for a SAML provider: a sign-in there and back, the response that comes between, and our metadata. */
import type { MiddlewareHandler } from 'hono';
import { ApiError } from '../api-error.ts';
import type { SamlProvider } from '../saml/provider.ts';
import { beginSaml, finishSaml, refusedAnswer, takeResponse } from '../saml/sign-in.ts';
import { addProviderApi, type ProviderApiOptions } from './provider-api.ts';
import { type ApiApp, callerOf, noteRefusal } from './respond.ts';

/** Where browsers bring responses, where they go on from there, and our entity id. */
export const samlPaths = { acs: '/saml/acs', callback: '/saml/callback', metadata: '/saml/metadata' } as const;

const maxFormBytes = 128 * 1_024;

export interface SamlApiOptions extends ProviderApiOptions {
  readonly saml: SamlProvider | undefined;
}

export function addSamlApi(app: ApiApp, options: SamlApiOptions): void {
  const { context, saml } = options;
  addProviderApi(app, options, {
    protocol: 'saml',
    // What the browser was told when it brought the provider's response.
    answer: /^[A-Za-z0-9._-]{1,128}$/,
    begin: (devicePublicKey) => beginSaml(context, required(saml), devicePublicKey),
    finish: (who, proof) => {
      required(saml);
      return finishSaml(context, who, proof);
    },
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
