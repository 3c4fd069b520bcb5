/** Why a SAML response is not believed: for the log and the audit; whoever brought it is told one sentence for all. */
export type SamlErrorCode =
  | 'encoding'
  | 'too_much'
  | 'markup'
  | 'xml'
  | 'structure'
  | 'encrypted'
  | 'algorithm'
  | 'status'
  | 'destination'
  | 'signature'
  | 'assertion'
  | 'issuer'
  | 'recipient'
  | 'in_response_to'
  | 'name_format'
  | 'audience'
  | 'not_yet_valid'
  | 'expired'
  /** The sign-in at the provider is older than `maxAgeS`, or its session has ended. */
  | 'too_old'
  /** The sign-in at the provider is in the future. */
  | 'authn_instant'
  /** `forceAuthn`: the sign-in at the provider was before ours began. */
  | 'force_authn'
  /** `authnContext`: the sign-in at the provider was of another class, or of none. */
  | 'authn_context';

export class SamlError extends Error {
  readonly code: SamlErrorCode;
  constructor(code: SamlErrorCode, options?: ErrorOptions) {
    super(`SAML: ${code}`, options);
    this.name = 'SamlError';
    this.code = code;
  }
}
