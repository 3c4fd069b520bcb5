/**
 * Reads the public half of an installation's trust (pins, root key, role certificates) and finds the role key that
 * was good at a given time. Everything is verified from the root key down; the fingerprint says which root that is.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { base64url } from '../../protocol/bytes.ts';
import { decodeCertificate, pinsFingerprint, type Role, verifyPins, verifyRole } from '../../protocol/pins.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { readIfPresent } from '../store/files.ts';
import type { ControlPaths } from '../store/paths.ts';
import { AuditError } from './error.ts';

/** File names inside the trust folder. */
export const trustFiles = { pins: 'pins.lks1', root: 'root.pub', certificates: 'certificates' } as const;

export interface AuditTrust {
  /** SHA-256 of the pins, base64url: what people compare. */
  readonly fingerprint: string;
  /**
   * @param offered certificates from anywhere, besides those of the folder; only what our root signed counts.
   * @returns the key that was certified for this role at that time, undefined when there was none of that id.
   */
  roleKey(
    role: Role,
    keyId: Uint8Array,
    timeMs: number,
    offered?: readonly Uint8Array[],
  ): Promise<Uint8Array | undefined>;
}

/** @throws AuditError `files_malformed`, or ObjectError when the pins are not what they claim. */
export async function readTrust(paths: Pick<ControlPaths, 'trust'>): Promise<AuditTrust> {
  const pins = required(join(paths.trust, trustFiles.pins));
  const root = required(join(paths.trust, trustFiles.root));
  const fingerprint = pinsFingerprint(nodeCrypto, pins);
  await verifyPins(nodeCrypto, pins, { rootPublicKey: root, fingerprint });
  const folder = join(paths.trust, trustFiles.certificates);
  const certificates = readdirSync(folder).map((name) => required(join(folder, name)));
  return {
    fingerprint: base64url(fingerprint),
    async roleKey(role, keyId, timeMs, offered = []) {
      for (const certificate of [...certificates, ...offered]) {
        const key = await keyOf(root, certificate, { role, keyId, timeMs });
        if (key !== undefined) return key;
      }
      return undefined;
    },
  };
}

interface Asked {
  readonly role: Role;
  readonly keyId: Uint8Array;
  readonly timeMs: number;
}

/** Certificates of other keys and of other times are no fault: the folder holds all of them. */
async function keyOf(
  root: Uint8Array,
  certificate: Uint8Array,
  { role, keyId, timeMs }: Asked,
): Promise<Uint8Array | undefined> {
  try {
    // Most are of other keys, and a signature takes long to verify.
    const { publicKey } = decodeCertificate(certificate);
    if (!Buffer.from(nodeCrypto.sha256(publicKey)).equals(keyId)) return undefined;
    return await verifyRole(nodeCrypto, { now: () => timeMs }, root, certificate, role);
  } catch {
    return undefined;
  }
}

function required(path: string): Uint8Array {
  const bytes = readIfPresent(path);
  if (bytes === undefined) throw new AuditError('files_malformed', `The file ${path} is missing.`);
  return new Uint8Array(bytes);
}
