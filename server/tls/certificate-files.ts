/**
 * A certificate chain and its key as the operator keeps them, in PEM. Read whole and judged before anything is served
 * with them; what is wrong is said by the file's name and never by its content.
 */
import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { rootCertificates } from 'node:tls';

/** Where they are: `certificate` is the leaf with its intermediates behind it, as ACME clients write it. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

export type TlsErrorCode =
  | 'certificate_unreadable'
  | 'certificate_malformed'
  | 'key_unreadable'
  | 'key_malformed'
  | 'key_mismatch';

/** Files that cannot be served. The message is one sentence with the file's name. */
export class TlsError extends Error {
  readonly code: TlsErrorCode;
  constructor(code: TlsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TlsError';
    this.code = code;
  }
}

/** A pair that fits. */
export interface CertificatePair {
  /** PEM, leaf first. */
  readonly certificate: string;
  /** PEM, PKCS #8: what every engine reads. */
  readonly key: string;
  readonly chain: readonly [X509Certificate, ...X509Certificate[]];
  /** SHA-256 of the leaf. */
  readonly hash: Uint8Array;
}

const pemBlock = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** @throws TlsError */
export function readPair(files: CertificateFiles): CertificatePair {
  const chain = readChain(files.certificate);
  const key = readKey(files.key);
  if (!chain[0].checkPrivateKey(key))
    throw new TlsError(
      'key_mismatch',
      `The key in ${files.key} does not belong to the certificate in ${files.certificate}.`,
    );
  return {
    certificate: chain.map(String).join(''),
    key: key.export({ format: 'pem', type: 'pkcs8' }) as string,
    chain,
    hash: new Uint8Array(createHash('sha256').update(chain[0].raw).digest()),
  };
}

/** Leaf first. @throws TlsError */
export function readChain(file: string): [X509Certificate, ...X509Certificate[]] {
  const text = readText(file, 'certificate_unreadable', 'certificate');
  try {
    const [leaf, ...rest] = (text.match(pemBlock) ?? []).map((pem) => new X509Certificate(pem));
    if (leaf === undefined) throw new TypeError('no certificate');
    return [leaf, ...rest];
  } catch (cause) {
    throw new TlsError('certificate_malformed', `The file ${file} holds no certificate in PEM.`, { cause });
  }
}

function readKey(file: string): KeyObject {
  const text = readText(file, 'key_unreadable', 'key');
  try {
    return createPrivateKey(text);
  } catch {
    // Without its cause: that could quote the key.
    throw new TlsError('key_malformed', `The file ${file} holds no private key in PEM, or one with a passphrase.`);
  }
}

function readText(file: string, code: TlsErrorCode, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new TlsError(code, `The ${what} file ${file} cannot be read.`, { cause });
  }
}

/** Changes when one of the files does, or is another one behind the same name; empty when one is not there. */
export function stampOf(files: CertificateFiles): string {
  try {
    return [files.certificate, files.key]
      .map((file) => statSync(file))
      .map(({ ino, mtimeMs, size }) => `${ino} ${mtimeMs} ${size}`)
      .join('|');
  } catch {
    return '';
  }
}

/**
 * Whether the chain ends at a root that Mozilla ships. Chromium takes QUIC with a certificate of no other root, whatever
 * its user trusts (quiche's "known roots"): for a private authority certificates are named by their hash instead.
 */
export function isPublic({ chain }: Pick<CertificatePair, 'chain'>): boolean {
  const top = chain.at(-1);
  if (top === undefined) return false;
  return rootCertificates.some((pem) => {
    const root = new X509Certificate(pem);
    if (root.fingerprint256 === top.fingerprint256) return true;
    return root.subject === top.issuer && top.checkIssued(root) && top.verify(root.publicKey);
  });
}
