/**
 * What a connector's machine shows of itself beyond a token: an X.509 certificate that its owner gave it (RFC 5280), and a
 * signature by that certificate's key. Signed is the exporter of the very TLS connection (RFC 8446 section 7.5), so it is
 * fresh and worth nothing on another one, and both keys that the connector wants to be known by.
 *
 *     "latchkey connector evidence v1" | 0 | exporter, 32 | WireGuard key, 32 | certificate key, 32
 *
 * Both halves. Which authorities are believed is the control plane's matter (control/machine-authorities.ts).
 */
import {
  constants,
  createPrivateKey,
  type KeyObject,
  type SignKeyObjectInput,
  sign,
  verify,
  X509Certificate,
} from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { z } from 'zod';
import { objectField } from './fields.ts';

const label = 'latchkey connector evidence v1\0';
const exporterLabel = 'EXPORTER-latchkey-connector-evidence';
const minRsaBits = 2_048;

export const machineEvidenceSchema = z.strictObject({
  kind: z.literal('x509'),
  /** The machine's certificate first, then those between it and its authority; PEM. */
  chain: z.array(z.string().startsWith('-----BEGIN CERTIFICATE-----').max(8_192)).min(1).max(4),
  signature: objectField(1_024),
});
export type MachineEvidence = z.infer<typeof machineEvidenceSchema>;

/** What the signature is bound to: 32 bytes each. */
export interface EvidenceBinding {
  readonly exporter: Uint8Array;
  readonly wireguardKey: Uint8Array;
  readonly certificateKey: Uint8Array;
}

export interface Machine {
  readonly chain: readonly string[];
  readonly key: KeyObject;
}

/** The machine's certificate or its key cannot be used. The message names the file alone. */
export class MachineError extends Error {
  readonly code = 'machine_unusable';
  constructor(file: string, why: string) {
    super(`${file}: ${why}.`);
    this.name = 'MachineError';
  }
}

/** Both ends of one TLS connection get the same 32 bytes, and nobody else does. */
export function exporterOf(socket: TLSSocket): Uint8Array {
  return socket.exportKeyingMaterial(32, exporterLabel, Buffer.alloc(0));
}

/** @param files PEM: certificates, the machine's own first, and the key of it. @throws MachineError */
export function readMachine(files: { cert: string; key: string }, read: (file: string) => string): Machine {
  const chain = parsed(files.cert, () => certificatesOf(read(files.cert)));
  const key = parsed(files.key, () => createPrivateKey(read(files.key)));
  const [own] = chain;
  if (own === undefined) throw new MachineError(files.cert, 'there is no certificate in it');
  if (!new X509Certificate(own).checkPrivateKey(key))
    throw new MachineError(files.key, 'it is not the key of the certificate');
  return { chain, key };
}

/** The certificates of a PEM file, each by itself. */
export function certificatesOf(pem: string): string[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block).toString());
}

export function signEvidence({ chain, key }: Machine, binding: EvidenceBinding): MachineEvidence {
  const signature = sign(digestOf(key), statement(binding), withPadding(key));
  return { kind: 'x509', chain: [...chain], signature: signature.toString('base64url') };
}

/** @returns whether the key of the first certificate signed for this connection and these keys. */
export function evidenceHolds(evidence: MachineEvidence, own: X509Certificate, binding: EvidenceBinding): boolean {
  const key = own.publicKey;
  if (!isStrongKey(key)) return false;
  const signature = Buffer.from(evidence.signature, 'base64url');
  return verify(digestOf(key), statement(binding), withPadding(key), signature);
}

/** Of a machine or of who issued its certificate. */
export function isStrongKey(key: KeyObject): boolean {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? minRsaBits;
  return ['ed25519', 'ec', 'rsa'].includes(key.asymmetricKeyType ?? '') && bits >= minRsaBits;
}

function statement({ exporter, wireguardKey, certificateKey }: EvidenceBinding): Buffer {
  return Buffer.concat([Buffer.from(label), exporter, wireguardKey, certificateKey]);
}

/** Ed25519 has its own digest. */
function digestOf(key: KeyObject): string | null {
  return key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
}

function withPadding(key: KeyObject): SignKeyObjectInput {
  if (key.asymmetricKeyType !== 'rsa') return { key };
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}

function parsed<T>(file: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    // Without the cause: OpenSSL's words repeat what it read.
    throw new MachineError(file, 'it cannot be read');
  }
}
