/**
 * What a certificate must be to identify anybody (X509-SVID section 5.2), besides a chain to an authority, which OpenSSL
 * checks: a leaf, with one URI that is a SPIFFE id, and no right to sign others.
 */
import 'reflect-metadata';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
} from '@peculiar/x509';
import { isSpiffeId } from '../../protocol/spiffe.ts';

/** Bits of a certificate's key usage that a leaf must not have. */
const signsOthers = KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign;

/** The URIs of a certificate's subject alternative names, in order. */
export function uriNamesOf(certificate: X509Certificate): string[] {
  const names = certificate.getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
  return names.filter(({ type }) => type === 'url').map(({ value }) => value);
}

/**
 * @param der of a certificate whose chain was verified
 * @returns its SPIFFE id; undefined for a certificate that is no leaf SVID, or cannot be read
 */
export function leafSpiffeId(der: Uint8Array): string | undefined {
  try {
    const certificate = new X509Certificate(Uint8Array.from(der));
    return isLeaf(certificate) ? onlySpiffeId(certificate) : undefined;
  } catch {
    // OpenSSL read it and this reader does not: two readings of one certificate are none.
    return undefined;
  }
}

function isLeaf(certificate: X509Certificate): boolean {
  const usage = certificate.getExtension(KeyUsagesExtension);
  if (certificate.getExtension(BasicConstraintsExtension)?.ca === true || usage?.critical !== true) return false;
  const signs = (usage.usages & KeyUsageFlags.digitalSignature) !== 0;
  return signs && (usage.usages & signsOthers) === 0 && isForTls(certificate);
}

/** Section 4.4: where there is an extended key usage, it names both ends of TLS. */
function isForTls(certificate: X509Certificate): boolean {
  const extended = certificate.getExtension(ExtendedKeyUsageExtension);
  if (extended === null) return true;
  return [ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth].every((usage) => extended.usages.includes(usage));
}

function onlySpiffeId(certificate: X509Certificate): string | undefined {
  const [id, ...more] = uriNamesOf(certificate);
  return id !== undefined && more.length === 0 && isSpiffeId(id) ? id : undefined;
}
