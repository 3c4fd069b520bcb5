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
  | 'too_old';

export class SamlError extends Error {
  readonly code: SamlErrorCode;
  constructor(code: SamlErrorCode, options?: ErrorOptions) {
    super(`SAML: ${code}`, options);
    this.name = 'SamlError';
    this.code = code;
  }
}
