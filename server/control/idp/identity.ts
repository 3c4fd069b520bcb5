/** Who signed in at a provider elsewhere, in the provider's own words. It is believed about that, and about nothing else. */

/** How the provider is spoken to; the bit of a lease and the word of an audit event. */
export type IdpProtocol = 'oidc' | 'saml';

export interface IdpIdentity {
  readonly issuer: string;
  readonly subject: string;
  /** The provider's own session, where it names one. */
  readonly sid?: string;
  readonly acr?: string;
  readonly amr: readonly string[];
  /** When the person authenticated there, ms. */
  readonly authenticatedAt: number;
  readonly groups: readonly string[];
  /** When the provider's session ends, where it says so, ms. */
  readonly until?: number;
}
