/**
 * X.509 authorities that the operator named in files, and whether a certificate leads to one of them (RFC 5280 section 6, as
 * far as signatures, lifetimes and who may issue go). Honest: neither revocation (CRL, OCSP) nor name constraints are read.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { certificatesOf, isStrongKey } from '../channel/machine-evidence.ts';

/** A file of authorities cannot be used; the process does not start. */
export class AuthorityError extends Error {
  readonly code = 'authority_unusable';
  constructor(path: string, setting: string, options?: ErrorOptions) {
    super(`${path} of ${setting} is not a file of X.509 authorities in PEM.`, options);
    this.name = 'AuthorityError';
  }
}

/** Certificates that are looked at, the first among them: each costs a signature to be verified. */
export const longestChain = 8;

export class Authorities {
  readonly #roots: readonly X509Certificate[];

  /** @param files PEM. @param setting where they are named. @throws AuthorityError */
  constructor(files: readonly string[], setting: string) {
    this.#roots = files.flatMap((file) => readRoots(file, setting));
  }

  /** Whether there is any. */
  get areNamed(): boolean {
    return this.#roots.length > 0;
  }

  /** Whether a way leads from the certificate to one of them, by those that came with it: not by more than {@link longestChain}. */
  vouchFor(certificate: X509Certificate, between: readonly X509Certificate[], nowMs: number): boolean {
    if (!this.areNamed || between.length >= longestChain) return false;
    if (!isInTime(certificate, nowMs)) return false;
    if (this.#roots.some((root) => isInTime(root, nowMs) && issued(root, certificate))) return true;
    const next = between.findIndex((one) => issued(one, certificate));
    const rest = between.filter((_, at) => at !== next);
    return next >= 0 && this.vouchFor(between[next]!, rest, nowMs);
  }
}

function readRoots(path: string, setting: string): X509Certificate[] {
  try {
    const roots = certificatesOf(readFileSync(path, 'utf8')).map((pem) => new X509Certificate(pem));
    if (roots.length === 0 || !roots.every((root) => root.ca)) throw new Error('no authority');
    return roots;
  } catch (cause) {
    throw new AuthorityError(path, setting, { cause });
  }
}

function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  const key = issuer.publicKey;
  return issuer.ca && isStrongKey(key) && certificate.checkIssued(issuer) && certificate.verify(key);
}

function isInTime({ validFromDate, validToDate }: X509Certificate, nowMs: number): boolean {
  return validFromDate.getTime() <= nowMs && nowMs <= validToDate.getTime();
}
