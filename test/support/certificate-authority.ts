/** A certificate authority of a test's own, and certificates of it that are good, late, early or for somebody else. */
import 'reflect-metadata';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { CertificateFiles } from '../../server/tls/certificate-files.ts';

const ownAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 86_400_000;

export interface Wanted {
  readonly names: readonly string[];
  /** Days from now. */
  readonly from?: number;
  readonly to?: number;
  /** What it says it may be used for; a server without it. */
  readonly usage?: 'server' | 'client';
  /** The CN of its subject. */
  readonly commonName?: string;
}

let serial = 1;

export class CertificateAuthority {
  /** PEM, in a file. */
  readonly root: string;
  readonly #folder: string;
  readonly #certificate: X509Certificate;
  readonly #keys: CryptoKeyPair;

  private constructor(folder: string, certificate: X509Certificate, keys: CryptoKeyPair) {
    this.#folder = folder;
    this.#certificate = certificate;
    this.#keys = keys;
    this.root = join(folder, 'root.pem');
    writeFileSync(this.root, certificate.toString('pem'));
  }

  /** @param algorithm of its own key. */
  static async found(
    folder: string,
    algorithm: EcKeyGenParams | RsaHashedKeyGenParams = ownAlgorithm,
  ): Promise<CertificateAuthority> {
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const certificate = await X509CertificateGenerator.createSelfSigned({
      serialNumber: nextSerial(),
      name: 'CN=A test authority',
      notBefore: new Date(Date.now() - dayMs),
      notAfter: new Date(Date.now() + 365 * dayMs),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ],
    });
    return new CertificateAuthority(folder, certificate, keys);
  }

  /** @param file the files are called so, and written over when they are there. */
  async issue(
    file: string,
    { names, from = -1, to = 90, usage = 'server', commonName = 'A test server' }: Wanted,
  ): Promise<CertificateFiles> {
    const keys = await crypto.subtle.generateKey(ownAlgorithm, true, ['sign', 'verify']);
    const leaf = await X509CertificateGenerator.create({
      serialNumber: nextSerial(),
      subject: `CN=${commonName}`,
      issuer: this.#certificate.subject,
      notBefore: new Date(Date.now() + from * dayMs),
      notAfter: new Date(Date.now() + to * dayMs),
      signingAlgorithm: this.#keys.privateKey.algorithm as EcdsaParams,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [
        new BasicConstraintsExtension(false),
        ...(names.length === 0
          ? []
          : [new SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns' as const, value })))]),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage[`${usage}Auth`]]),
      ],
    });
    const files = { certificate: join(this.#folder, `${file}.pem`), key: join(this.#folder, `${file}.key`) };
    writeFileSync(
      files.key,
      PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY'),
    );
    writeFileSync(files.certificate, leaf.toString('pem'));
    return files;
  }
}

function nextSerial(): string {
  serial += 1;
  return `01${process.pid.toString(16).padStart(8, '0')}${serial.toString(16).padStart(6, '0')}`;
}
