/**
 * The certificate behind `serverCertificateHashes` (W3C WebTransport, section 6.1): ECDSA P-256, self-signed, valid for less
 * than 14 days. It proves nothing but that the outer transport ends at us; who the gateway is, the handshake inside says.
 */
import 'reflect-metadata';
import { PemConverter, X509CertificateGenerator } from '@peculiar/x509';

/** Browsers refuse a longer life; one day is left to clocks that disagree about a fortnight. */
export const certificateDays = 13;
const dayMs = 86_400_000;
/** A client's clock may be behind ours by this much. */
const skewMs = 3_600_000;

export interface Certificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
  /** SHA-256 of the DER bytes. */
  readonly hash: Uint8Array;
  readonly notBefore: number;
  readonly notAfter: number;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Makes a key and a certificate for use from `from` (ms since the epoch) on. */
export async function makeCertificate(from: number): Promise<Certificate> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const notBefore = from - skewMs;
  const notAfter = notBefore + certificateDays * dayMs;
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: Buffer.from(crypto.getRandomValues(new Uint8Array(15)))
      .toString('hex')
      .replace(/^/, '01'),
    name: 'CN=Latchkey tunnel',
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
    signingAlgorithm: algorithm,
    keys,
  });
  const der = new Uint8Array(certificate.rawData);
  return {
    certificate: certificate.toString('pem'),
    key: PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY'),
    hash: new Uint8Array(await crypto.subtle.digest('SHA-256', der)),
    notBefore,
    notAfter,
  };
}
