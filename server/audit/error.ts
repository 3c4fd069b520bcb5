/** Why the audit log cannot be written or believed. */
export type AuditErrorCode =
  /** The database does not hold what the newest anchor vouches for. */
  | 'chain_broken'
  /** A file beside the chain cannot be read as what it has to be. */
  | 'files_malformed'
  /** A receipt that nobody here signed, or that was changed. */
  | 'receipt_refused';

export class AuditError extends Error {
  readonly code: AuditErrorCode;
  constructor(code: AuditErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AuditError';
    this.code = code;
  }
}
