/** Another trust domain: an authority of P-256, as SPIRE makes one, and the SVIDs it issues, right and wrong in one thing. */
import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const hourMs = 3_600_000;
const newKeys = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
const serial = () => `01${randomBytes(8).toString('hex')}`;

/** What differs from an SVID as it should be. */
export interface Deviation {
  readonly uris?: readonly string[];
  readonly dns?: readonly string[];
  readonly ca?: boolean;
  readonly usages?: KeyUsageFlags;
  readonly usagesCritical?: boolean;
  readonly purposes?: readonly string[];
  /** ms from now. */
  readonly from?: number;
  readonly to?: number;
}

/** PEM. */
export interface Identity {
  readonly key: string;
  readonly cert: string;
}

export class ForeignDomain {
  readonly name: string;
  /** PEM */
  readonly authority: string;
  readonly #certificate: X509Certificate;
  readonly #keys: CryptoKeyPair;

  private constructor(name: string, certificate: X509Certificate, keys: CryptoKeyPair) {
    this.name = name;
    this.authority = certificate.toString('pem');
    this.#certificate = certificate;
    this.#keys = keys;
  }

  static async found(name: string, more: Deviation = {}): Promise<ForeignDomain> {
    const keys = await newKeys();
    const certificate = await X509CertificateGenerator.createSelfSigned({
      serialNumber: serial(),
      name: 'C=ZZ, O=Elsewhere',
      ...lifeOf(more),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new BasicConstraintsExtension(more.ca ?? true, undefined, true),
        new KeyUsagesExtension(more.usages ?? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        ...namesOf(more.uris ?? [`spiffe://${name}`], more.dns ?? []),
      ],
    });
    return new ForeignDomain(name, certificate, keys);
  }

  async issue(path: string, wrong: Deviation = {}): Promise<Identity> {
    const keys = await newKeys();
    const cert = await this.#sign(
      keys.publicKey,
      [
        new BasicConstraintsExtension(wrong.ca ?? false, undefined, true),
        new KeyUsagesExtension(wrong.usages ?? KeyUsageFlags.digitalSignature, wrong.usagesCritical ?? true),
        new ExtendedKeyUsageExtension([
          ...(wrong.purposes ?? [ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
        ]),
        ...namesOf(wrong.uris ?? [`spiffe://${this.name}${path}`], wrong.dns ?? []),
      ],
      wrong,
    );
    return { key: await privatePem(keys), cert: cert.toString('pem') };
  }

  /** As its bundle endpoint would give it. */
  bundle(more: object = {}): string {
    const x5c = [Buffer.from(this.#certificate.rawData).toString('base64')];
    const key = { kty: 'EC', crv: 'P-256', use: 'x509-svid', x5c };
    return JSON.stringify({ keys: [key], spiffe_sequence: 7, spiffe_refresh_hint: 300, ...more });
  }

  #sign(publicKey: CryptoKey, extensions: Extension[], life: Deviation): Promise<X509Certificate> {
    return X509CertificateGenerator.create({
      serialNumber: serial(),
      subject: 'C=ZZ, O=Somebody elsewhere',
      issuer: this.#certificate.subject,
      ...lifeOf(life),
      publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: algorithm,
      extensions,
    });
  }
}

function lifeOf({ from = -hourMs, to = hourMs }: Deviation) {
  return { notBefore: new Date(Date.now() + from), notAfter: new Date(Date.now() + to) };
}

function namesOf(uris: readonly string[], dns: readonly string[]): Extension[] {
  const names = [
    ...dns.map((value) => ({ type: 'dns', value }) as const),
    ...uris.map((value) => ({ type: 'url', value }) as const),
  ];
  return names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)];
}

async function privatePem({ privateKey }: CryptoKeyPair): Promise<string> {
  return PemConverter.encode(await crypto.subtle.exportKey('pkcs8', privateKey), 'PRIVATE KEY');
}
