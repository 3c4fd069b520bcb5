/**
 * Reads the public half of an installation's trust (pins, root key, role certificates) and finds the role key that
 * was good at a given time. Everything is verified from the root key down; the fingerprint says which root that is.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { base64url } from '../../protocol/bytes.ts';
import { pinsFingerprint, type Role, verifyPins, verifyRole } from '../../protocol/pins.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { readIfPresent } from '../store/files.ts';
import type { ControlPaths } from '../store/paths.ts';
import { AuditError } from './error.ts';

/** File names inside the trust folder. */
export const trustFiles = { pins: 'pins.lks1', root: 'root.pub', certificates: 'certificates' } as const;

export interface AuditTrust {
  /** SHA-256 of the pins, base64url: what people compare. */
  readonly fingerprint: string;
  /** @returns the key that was certified for this role at that time, undefined when there was none of that id. */
  roleKey(role: Role, keyId: Uint8Array, timeMs: number): Promise<Uint8Array | undefined>;
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
    async roleKey(role, keyId, timeMs) {
      for (const certificate of certificates) {
        const key = await keyOf(root, certificate, role, timeMs);
        if (key !== undefined && Buffer.from(nodeCrypto.sha256(key)).equals(keyId)) return key;
      }
      return undefined;
    },
  };
}

/** Certificates of other roles and of other times are no fault: the folder holds all of them. */
function keyOf(root: Uint8Array, certificate: Uint8Array, role: Role, timeMs: number): Promise<Uint8Array | undefined> {
  return verifyRole(nodeCrypto, { now: () => timeMs }, root, certificate, role).catch(() => undefined);
}

function required(path: string): Uint8Array {
  const bytes = readIfPresent(path);
  if (bytes === undefined) throw new AuditError('files_malformed', `The file ${path} is missing.`);
  return new Uint8Array(bytes);
}
