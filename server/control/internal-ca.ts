/**
 * The installation's X.509 authority: an Ed25519 root that signs short-lived SVIDs (SPIFFE X.509-SVID) for the control
 * plane's own port, connectors, gateways and the services behind connectors. It vouches for names inside the installation
 * and for nothing in the Web PKI. Classical, as X.509 is today: what it protects is under ML-KEM as well (mutual-tls.ts).
 */
import 'reflect-metadata';
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { TlsIdentity } from '../channel/mutual-tls.ts';
import { readIfPresent, replaceFile } from '../store/files.ts';
import type { ControlPaths } from '../store/paths.ts';

const dayMs = 86_400_000;
const rootLifeMs = 3_650 * dayMs;
/** Renewed at half of it. */
export const svidLifeMs = dayMs;
/** For clocks that run behind. */
const backdateMs = 300_000;
/** A connector comes again by its own within this time, or with a new token. */
export const connectorLifeMs = 30 * dayMs;
const algorithm = { name: 'Ed25519' } as const;

/** The authority's key or certificate is there and cannot be used; the process does not start. */
export class InternalCaError extends Error {
  readonly code = 'ca_unusable';
  constructor(path: string, options?: ErrorOptions) {
    super(`The file ${path} is missing or damaged; restore it from a backup.`, options);
    this.name = 'InternalCaError';
  }
}

export class InternalCa {
  /** PEM. */
  readonly certificate: string;
  /** SHA-256 of the certificate's DER: what a connector's token pins. */
  readonly fingerprint: Uint8Array;
  readonly #root: X509Certificate;
  readonly #key: CryptoKey;

  private constructor(root: X509Certificate, key: CryptoKey) {
    this.#root = root;
    this.#key = key;
    this.certificate = root.toString('pem');
    this.fingerprint = createHash('sha256').update(new Uint8Array(root.rawData)).digest();
  }

  /** ms since 1970 */
  get notAfter(): number {
    return this.#root.notAfter.getTime();
  }

  /** Reads the authority, or makes it at the first start. @throws InternalCaError */
  static async open(
    paths: Pick<ControlPaths, 'keys' | 'trust'>,
    trustDomain: string,
    now: number,
  ): Promise<InternalCa> {
    const [keyFile, certificateFile] = [join(paths.keys, 'ca.pem'), join(paths.trust, 'ca.pem')];
    const [key, certificate] = [readIfPresent(keyFile), readIfPresent(certificateFile)];
    if (key === undefined && certificate === undefined) await make(keyFile, certificateFile, trustDomain, now);
    else if (key === undefined) throw new InternalCaError(keyFile);
    else if (certificate === undefined) throw new InternalCaError(certificateFile);
    try {
      const read = (file: string) => String(readIfPresent(file));
      const pkcs8 = PemConverter.decodeFirst(read(keyFile));
      const signingKey = await crypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']);
      return new InternalCa(new X509Certificate(read(certificateFile)), signingKey);
    } catch (cause) {
      throw new InternalCaError(keyFile, { cause });
    }
  }

  /**
   * An SVID: one URI, for TLS at either end.
   * @param publicKey Ed25519, 32 bytes.
   * @returns PEM, without the root.
   */
  async issue(publicKey: Uint8Array, spiffeId: string, now: number, lifeMs = svidLifeMs): Promise<string> {
    const subject = await crypto.subtle.importKey('raw', Uint8Array.from(publicKey), algorithm, true, ['verify']);
    return this.certify(subject, spiffeId, now, lifeMs);
  }

  /** The same for a key of any kind. */
  async certify(subject: CryptoKey, spiffeId: string, now: number, lifeMs = svidLifeMs): Promise<string> {
    const certificate = await X509CertificateGenerator.create({
      serialNumber: newSerial(),
      subject: 'O=Latchkey',
      issuer: this.#root.subject,
      notBefore: new Date(now - backdateMs),
      notAfter: new Date(now + lifeMs),
      publicKey: subject,
      signingKey: this.#key,
      signingAlgorithm: algorithm,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
        new SubjectAlternativeNameExtension([{ type: 'url', value: spiffeId }]),
        // RFC 5280 section 4.2.1.1; strict readers turn away a leaf without it.
        await AuthorityKeyIdentifierExtension.create(this.#root.publicKey),
      ],
    });
    return certificate.toString('pem');
  }
}

/** A new key with an SVID, for an end of this process. The chain holds the authority, for those who know its digest. */
export async function newTlsIdentity(ca: InternalCa, spiffeId: string, now: number): Promise<TlsIdentity> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  return {
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    cert: `${await ca.issue(raw, spiffeId, now)}\n${ca.certificate}`,
    ca: ca.certificate,
  };
}

async function make(keyFile: string, certificateFile: string, trustDomain: string, now: number): Promise<void> {
  const pair = generateKeyPairSync('ed25519');
  const pem = pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const keys = {
    privateKey: await crypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(pem), algorithm, false, ['sign']),
    publicKey: await crypto.subtle.importKey(
      'spki',
      Uint8Array.from(pair.publicKey.export({ format: 'der', type: 'spki' })),
      algorithm,
      true,
      ['verify'],
    ),
  };
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: 'O=Latchkey, CN=Latchkey internal authority',
    notBefore: new Date(now - backdateMs),
    notAfter: new Date(now + rootLifeMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      new SubjectAlternativeNameExtension([{ type: 'url', value: `spiffe://${trustDomain}` }]),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  replaceFile(keyFile, pem);
  replaceFile(certificateFile, certificate.toString('pem'));
}

/** Positive, as RFC 5280 section 4.1.2.2 asks, whatever the first random bit is. */
function newSerial(): string {
  return `01${randomBytes(15).toString('hex')}`;
}
