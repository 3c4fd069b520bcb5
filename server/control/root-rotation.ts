/**
 * A new root for an installation: the next root, which everybody has pinned already, takes the place of the current one,
 * certifies anew what that one had certified, and names a successor of its own. The role keys stay, so no session ends.
 *
 * What is in force is decided by one rename, of the folder that holds everything public, and each step is on the disk
 * before the next begins, so that a power cut leaves them in this order too. Whatever stops the process before that
 * rename, nothing has happened; whatever stops it after, the next start does the rest ({@link settleRotation}).
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Signer } from '../../protocol/crypto.ts';
import {
  decodeCertificate,
  type Generation,
  pinsFingerprint,
  type RoleCertificate,
  signPins,
  signRole,
} from '../../protocol/pins.ts';
import { trustFiles } from '../audit/trust.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { copyDurably, makePrivateFolder, renameDurably, replaceFile } from '../store/files.ts';
import { type KeyPaths, keyFile, loadKey, makeKey, readPublic } from './key-files.ts';

/** What was before and what is now, by fingerprint, and where the old files are kept. */
export interface Rotated {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  /** The folder with the old root's key: it belongs on another machine, or nowhere. */
  readonly backup: string;
}

const dayMs = 86_400_000;
/** How long the old root vouches for the new one to gateways that were away (docs/protocol.md, "Trust"). */
const overlapMs = 183 * dayMs;
const backdateMs = 60_000;
/** The roots' key files: the one in use, the one that is pinned as the next, and one that is pinned by nobody yet. */
const [current, next, afterNext] = ['root', 'root-next', 'root-after'];
const generations = 'earlier';

/**
 * @param reached told of each step as it is done, which a test may stop the rotation at
 * @throws PkiError; nothing is changed then
 */
export async function rotateRoot(
  paths: KeyPaths,
  now: number,
  reached: (step: string) => void = () => undefined,
): Promise<Rotated> {
  const from = pinsFingerprint(nodeCrypto, readPublic(join(paths.trust, trustFiles.pins)));
  const [oldRoot, newRoot] = [loadKey(paths, current), loadKey(paths, next)];
  const backup = backUp(paths, now);
  reached('backed up');
  const successor = makeKey(paths, afterNext);
  reached('successor made');
  const to = await prepareTrust(paths, { oldRoot, newRoot, successor, now });
  reached('prepared');
  renameDurably(paths.trust, replacedTrust(paths));
  reached('moved away');
  renameDurably(preparedTrust(paths), paths.trust);
  reached('in force');
  settleRotation(paths);
  return { from, to, backup };
}

/** Ends a rotation that something stopped: undoes it where it was not in force yet, and does the rest where it was. */
export function settleRotation(paths: KeyPaths): void {
  if (!existsSync(paths.trust) && existsSync(preparedTrust(paths))) renameDurably(preparedTrust(paths), paths.trust);
  rmSync(preparedTrust(paths), { recursive: true, force: true });
  rmSync(replacedTrust(paths), { recursive: true, force: true });
  if (!existsSync(keyFile(paths, afterNext))) return;
  const root = readPublic(join(paths.trust, trustFiles.root));
  const isInForce = (name: string) =>
    existsSync(keyFile(paths, name)) && Buffer.from(loadKey(paths, name).publicKey).equals(root);
  if (isInForce(next)) renameDurably(keyFile(paths, next), keyFile(paths, current));
  if (existsSync(keyFile(paths, next))) rmSync(keyFile(paths, afterNext));
  else renameDurably(keyFile(paths, afterNext), keyFile(paths, next));
}

/** Those before the one in use, the oldest first. */
export function earlierGenerations({ trust }: Pick<KeyPaths, 'trust'>): Generation[] {
  const folder = join(trust, generations);
  if (!existsSync(folder)) return [];
  const read = (name: string) => ({
    pins: readPublic(join(folder, name, trustFiles.pins)),
    root: readPublic(join(folder, name, trustFiles.root)),
  });
  return readdirSync(folder).sort().map(read);
}

const preparedTrust = ({ trust }: KeyPaths): string => `${trust}.next`;
const replacedTrust = ({ trust }: KeyPaths): string => `${trust}.replaced`;

/** Copies what a rotation replaces into a folder of its own. @returns that folder */
function backUp(paths: KeyPaths, now: number): string {
  const backup = join(paths.folder, 'backups', `root-${new Date(now).toISOString().replaceAll(/[:.]/g, '-')}`);
  makePrivateFolder(backup);
  for (const name of [current, next]) copyDurably(keyFile(paths, name), join(backup, `${name}.key`));
  copyDurably(paths.trust, join(backup, 'trust'));
  return backup;
}

interface Roots {
  readonly oldRoot: Signer;
  readonly newRoot: Signer;
  readonly successor: Signer;
  readonly now: number;
}

/** Writes the public files of the new root beside the ones in use. @returns the fingerprint of its pins */
async function prepareTrust(paths: KeyPaths, { oldRoot, newRoot, successor, now }: Roots): Promise<Uint8Array> {
  const folder = preparedTrust(paths);
  copyDurably(paths.trust, folder);
  keepGeneration(paths, folder);
  const pins = await signPins(nodeCrypto, newRoot, {
    current: nodeCrypto.sha256(newRoot.publicKey),
    next: nodeCrypto.sha256(successor.publicKey),
  });
  replaceFile(join(folder, trustFiles.pins), pins);
  replaceFile(join(folder, trustFiles.root), newRoot.publicKey);
  await certifyAnew(join(folder, trustFiles.certificates), newRoot);
  const succession: RoleCertificate = {
    ...{ role: 'root', publicKey: newRoot.publicKey },
    ...{ notBefore: now - backdateMs, notAfter: now + overlapMs },
  };
  const certificate = await signRole(nodeCrypto, oldRoot, succession);
  replaceFile(join(folder, trustFiles.certificates, successionFile), certificate);
  return pinsFingerprint(nodeCrypto, pins);
}

/** The old root's word for the new one. */
const successionFile = 'root.lks1';

function keepGeneration(paths: KeyPaths, folder: string): void {
  const number = earlierGenerations(paths).length + 1;
  const kept = join(folder, generations, String(number).padStart(4, '0'));
  makePrivateFolder(kept);
  for (const name of [trustFiles.pins, trustFiles.root]) copyDurably(join(paths.trust, name), join(kept, name));
}

/** With the lives they had: a reader of old documents needs to know one root only. */
async function certifyAnew(folder: string, root: Signer): Promise<void> {
  for (const name of readdirSync(folder)) {
    if (name === successionFile) continue;
    const certificate = decodeCertificate(readPublic(join(folder, name)));
    replaceFile(join(folder, name), await signRole(nodeCrypto, root, certificate));
  }
}
