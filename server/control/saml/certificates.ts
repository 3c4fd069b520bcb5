/** The signing certificates of a SAML provider: the keys in them are trusted because an operator put them here, by nobody's signature. */
import { X509Certificate } from 'node:crypto';

const minModulusBits = 2_048;

/** Those that may be used now, as PEM; or why the provider cannot be believed. */
export type Certificates = { readonly usable: string[] } | { readonly weakness: string };

/** @param pem one certificate or several. @param now ms */
export function certificatesOf(pem: string, now: number): Certificates {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) return { weakness: 'its certificate file is not there or holds no certificate' };
  const certificates = blocks.map(parse);
  if (certificates.includes(undefined)) return { weakness: 'a certificate of it cannot be read' };
  const known = certificates.filter((certificate) => certificate !== undefined);
  const weak = known.some(({ publicKey }) => {
    const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
    return publicKey.asymmetricKeyType !== 'rsa' || bits < minModulusBits;
  });
  if (weak) return { weakness: `a certificate of it has no RSA key of ${minModulusBits} bits or more` };
  const usable = known.filter(
    ({ validFromDate, validToDate }) => Number(validFromDate) <= now && now < Number(validToDate),
  );
  if (usable.length === 0) return { weakness: 'its certificates have expired or are not valid yet' };
  return { usable: usable.map(String) };
}

function parse(block: string): X509Certificate | undefined {
  try {
    return new X509Certificate(block);
  } catch {
    return undefined;
  }
}
