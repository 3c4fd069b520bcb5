/**
 * Reading the bundle of another trust domain (SPIFFE Trust Domain and Bundle, section 4; X509-SVID section 6.2), as an
 * administrator hands it over.
 */
import 'reflect-metadata';
import { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, X509Certificate } from '@peculiar/x509';
import { z } from 'zod';
import { uriNamesOf } from './x509-svid.ts';

/** Why another domain's bundle is not taken. */
export type BundleFault = 'bundle_malformed' | 'bundle_authority' | 'bundle_empty';

export class BundleError extends Error {
  readonly code: BundleFault;
  constructor(code: BundleFault, options?: ErrorOptions) {
    super(`A SPIFFE bundle cannot be used: ${code}.`, options);
    this.name = 'BundleError';
    this.code = code;
  }
}

/** Hostile until shown otherwise. Unknown keys and uses are left out, as section 4.2 says. */
const foreignSchema = z.object({
  keys: z.array(z.object({ use: z.unknown().optional(), x5c: z.unknown().optional() })).max(64),
  spiffe_sequence: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER).optional(),
});
const maxAuthorities = 16;

export interface ForeignBundle {
  /** Each PEM, of a CA certificate that says it is of this trust domain, or says no name at all. */
  readonly authorities: readonly string[];
  /** Undefined where the domain counts none. */
  readonly sequence?: number;
}

/** @param now ms since 1970: authorities that have ended are left out. @throws BundleError */
export function readBundle(text: string, trustDomain: string, now: number): ForeignBundle {
  const { keys, spiffe_sequence: sequence } = parsed(text);
  const given = keys.filter(({ use }) => use === 'x509-svid').flatMap(({ x5c }) => firstOf(x5c));
  if (given.length > maxAuthorities) throw new BundleError('bundle_malformed');
  const authorities = given
    .map((der) => authorityOf(der, trustDomain))
    .filter(({ notAfter }) => notAfter.getTime() > now);
  if (authorities.length === 0) throw new BundleError('bundle_empty');
  const pem = [...new Set(authorities.map((certificate) => certificate.toString('pem')))];
  return { authorities: pem, ...(sequence !== undefined && { sequence }) };
}

function parsed(text: string): z.infer<typeof foreignSchema> {
  try {
    return foreignSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new BundleError('bundle_malformed', { cause });
  }
}

/** X509-SVID section 6.2: the first of `x5c` counts; an entry without one is ignored. */
function firstOf(x5c: unknown): string[] {
  const [first] = Array.isArray(x5c) ? (x5c as unknown[]) : [];
  return typeof first === 'string' ? [first] : [];
}

/** What a gateway takes of one, as PEM (snapshot-content.ts), with room to spare. */
const mostCertificateBytes = 8_192;

/** X509-SVID sections 3.2 and 4. What is no authority, or of another domain, spoils the whole: somebody mixed something up. */
function authorityOf(base64: string, trustDomain: string): X509Certificate {
  try {
    const certificate = new X509Certificate(Buffer.from(base64, 'base64'));
    const isAuthority = certificate.getExtension(BasicConstraintsExtension)?.ca === true;
    const usages = certificate.getExtension(KeyUsagesExtension)?.usages ?? 0;
    const names = uriNamesOf(certificate);
    const isOfDomain = names.length === 0 || (names.length === 1 && names[0] === `spiffe://${trustDomain}`);
    const fits = certificate.rawData.byteLength <= mostCertificateBytes;
    if (fits && isAuthority && (usages & KeyUsageFlags.keyCertSign) !== 0 && isOfDomain) return certificate;
  } catch (cause) {
    throw new BundleError('bundle_authority', { cause });
  }
  throw new BundleError('bundle_authority');
}
