/**
 * The SAML identity provider as a service provider sees it (SAML 2.0 Web Browser SSO, HTTP-Redirect there and HTTP-POST
 * back). It is believed about who signed in at it, and about nothing else. Signatures are verified by node-saml over the
 * one form of document that document.ts lets through; what is read comes from the signed bytes (assertion.ts). For whom and
 * until when an assertion is, is checked there too, by our clock and each with its own code, and not by the library, which
 * has the clock of the machine and one error for all.
 */
import { readFileSync } from 'node:fs';
import { generateServiceProviderMetadata, SAML, ValidateInResponseTo } from '@node-saml/node-saml';
import { nameIdFormats, type SamlSettings, samlSignatures } from '../../saml-settings.ts';
import { ApiError } from '../api-error.ts';
import type { IdpIdentity } from '../idp/identity.ts';
import { identityOf } from './assertion.ts';
import { certificatesOf } from './certificates.ts';
import { readResponse } from './document.ts';
import { SamlError } from './saml-error.ts';

/** What one sign-in is bound by. */
export interface SamlFlow {
  /** `ID` of our AuthnRequest; the assertion has to name it. */
  readonly requestId: string;
  readonly relayState: string;
  /** When the request was made, ms. */
  readonly begunAt: number;
}

/** What the library takes for not looking at times at all. */
const noClock = -1;

export class SamlProvider {
  readonly settings: SamlSettings;
  readonly #acs: string;
  readonly #entityId: string;

  /** @param addresses ours: where responses come in, and where our metadata is */
  constructor(settings: SamlSettings, addresses: { readonly acs: string; readonly metadata: string }) {
    this.settings = settings;
    this.#acs = addresses.acs;
    this.#entityId = settings.entityId ?? addresses.metadata;
  }

  /** The address to send the person to. @param now ms. @throws ApiError `saml_weak` */
  async begin(flow: SamlFlow, now: number): Promise<URL> {
    return new URL(await this.#client(flow, now, false).getAuthorizeUrlAsync(flow.relayState, undefined, {}));
  }

  /**
   * Who signed in, by a response that a browser brought.
   * @param encoded `SAMLResponse` of the form. @param now ms
   * @throws ApiError `saml_refused` with a {@link SamlError} as its cause, `saml_weak`
   */
  async verify(encoded: string, flow: SamlFlow, now: number): Promise<IdpIdentity> {
    const { requestId, begunAt } = flow;
    const audience = this.#entityId;
    try {
      const expected = { acs: this.#acs, requestId, signatureAlg: samlSignatures[this.settings.signatureAlg] };
      const { xml, isResponseSigned } = readResponse(encoded, expected);
      const verified = await this.#verified(xml, this.#client(flow, now, isResponseSigned));
      return identityOf(verified, this.settings, { acs: this.#acs, audience, requestId, begunAt, now });
    } catch (error) {
      throw error instanceof SamlError ? new ApiError('saml_refused', { cause: error }) : error;
    }
  }

  /** What the provider has to know of us (SAML 2.0 Metadata). */
  metadata(): string {
    return generateServiceProviderMetadata({
      issuer: this.#entityId,
      callbackUrl: this.#acs,
      identifierFormat: nameIdFormats[this.settings.nameIdFormat],
      wantAssertionsSigned: true,
    });
  }

  async #verified(xml: string, client: SAML): Promise<unknown> {
    const SAMLResponse = Buffer.from(xml, 'utf8').toString('base64');
    try {
      const { profile } = await client.validatePostResponseAsync({ SAMLResponse });
      return profile?.getAssertion?.();
    } catch {
      // What the library says of a failure repeats what was sent.
      throw new SamlError('signature');
    }
  }

  #client({ requestId }: SamlFlow, now: number, wantAuthnResponseSigned: boolean): SAML {
    const { entryPoint, nameIdFormat, authnContext, forceAuthn } = this.settings;
    return new SAML({
      ...{ issuer: this.#entityId, audience: false, callbackUrl: this.#acs, entryPoint, forceAuthn },
      ...{ identifierFormat: nameIdFormats[nameIdFormat], allowCreate: true },
      ...{ authnContext, disableRequestedAuthnContext: authnContext.length === 0 },
      idpCert: this.#certificates(now),
      ...{ wantAssertionsSigned: true, wantAuthnResponseSigned, acceptedClockSkewMs: noClock },
      validateInResponseTo: ValidateInResponseTo.never,
      generateUniqueId: () => requestId,
    });
  }

  /** Read anew each time, so that a changed file needs no restart. @throws ApiError `saml_weak` */
  #certificates(now: number): string[] {
    const read = certificatesOf(textOf(this.settings.certificateFile), now);
    if ('usable' in read) return read.usable;
    throw new ApiError('saml_weak', { message: `The sign-in provider is refused: ${read.weakness}.` });
  }
}

/** Empty where there is no such file, as a file without certificates. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
