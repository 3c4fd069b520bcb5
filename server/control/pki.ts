/**
 * The installation's own certificate authority: a root key and the next one, and one key for each role, all composite,
 * each in a file of its own so that each can move to a process or machine of its own. The first start makes them; a
 * role key that nears its end gets a successor, and both are published while both are good.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { wipe } from '../../protocol/bytes.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { Signer } from '../../protocol/crypto.ts';
import { parseObject } from '../../protocol/lks1.ts';
import { pinsFingerprint, type Role, roleNumber, signPins, signRole } from '../../protocol/pins.ts';
import { trustFiles } from '../audit/trust.ts';
import { compositeFromSeeds, generateComposite } from '../crypto/composite-key.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { makePrivateFolder, readIfPresent, replaceFile } from '../store/files.ts';
import type { ControlPaths } from '../store/paths.ts';

/** Roles that sign with a key of their own; `root` certifies them. */
export type SigningRole = Exclude<Role, 'root'>;
const signingRoles = (Object.keys(roleNumber) as Role[]).filter((role): role is SigningRole => role !== 'root');

const dayMs = 86_400_000;
/** docs/protocol.md, "Roles": 90 days, the next one 30 days before the end. */
const roleLifeMs = 90 * dayMs;
const roleOverlapMs = 30 * dayMs;
/** A certificate is good a little before it was made, for clocks that run behind. */
const backdateMs = 60_000;

export interface Pki {
  readonly root: Uint8Array;
  /** LKS1 type 9. */
  readonly pins: Uint8Array;
  readonly fingerprint: Uint8Array;
  /** LKS1 type 8, every certificate that is good now. */
  readonly certificates: readonly Uint8Array[];
  /** The key in use now. */
  signer(role: SigningRole): Signer;
  /** Makes the successors that are due. @returns whether any was */
  renew(now: number): Promise<boolean>;
}

/** The keys cannot be used; the process does not start. */
export class PkiError extends Error {
  readonly code = 'keys_unusable';
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PkiError';
  }
}

type Paths = Pick<ControlPaths, 'keys' | 'trust'>;

/** Opens the keys of an installation, makes what is missing, renews what nears its end. @throws PkiError */
export async function openPki(paths: Paths, clock: Pick<Clock, 'now'>): Promise<Pki> {
  makePrivateFolder(paths.keys);
  makePrivateFolder(join(paths.trust, trustFiles.certificates));
  const firstStart = !existsSync(join(paths.trust, trustFiles.pins));
  const root = loadKey(paths, 'root', firstStart);
  const next = loadKey(paths, 'root-next', firstStart);
  if (firstStart) await writePins(paths, root, next);
  const pins = read(join(paths.trust, trustFiles.pins));
  const keys = new RoleKeys(paths, root);
  await keys.renew(clock.now());
  return {
    root: root.publicKey,
    pins,
    fingerprint: pinsFingerprint(nodeCrypto, pins),
    get certificates() {
      return keys.certificates;
    },
    signer: (role) => keys.signer(role),
    renew: (now) => keys.renew(now),
  };
}

/** The role keys in use and their certificates. */
class RoleKeys {
  readonly #paths: Paths;
  readonly #root: Signer;
  #signers: ReadonlyMap<SigningRole, Signer> = new Map();
  #certificates: readonly FoundCertificate[] = [];

  constructor(paths: Paths, root: Signer) {
    this.#paths = paths;
    this.#root = root;
  }

  get certificates(): Uint8Array[] {
    return this.#certificates.map(({ bytes }) => bytes);
  }

  signer(role: SigningRole): Signer {
    return this.#signers.get(role) ?? unreachable(role);
  }

  async renew(now: number): Promise<boolean> {
    const due = signingRoles.filter((role) => isDue(this.#certificates, role, now));
    if (due.length === 0) return false;
    const signers = new Map(this.#signers);
    for (const role of due) signers.set(role, await roleSigner(this.#paths, this.#root, role, now));
    this.#signers = signers;
    this.#certificates = goodCertificates(this.#paths, now);
    return true;
  }
}

function isDue(certificates: readonly FoundCertificate[], role: SigningRole, now: number): boolean {
  return !certificates.some((found) => found.role === roleNumber[role] && found.notAfter - now > roleOverlapMs);
}

function unreachable(role: string): never {
  throw new TypeError(`there is no key for the role ${role}`);
}

async function writePins(paths: Paths, root: Signer, next: Signer): Promise<void> {
  const pins = await signPins(nodeCrypto, root, {
    current: nodeCrypto.sha256(root.publicKey),
    next: nodeCrypto.sha256(next.publicKey),
  });
  replaceFile(join(paths.trust, trustFiles.root), root.publicKey);
  // Last, because its presence says that the keys were made.
  replaceFile(join(paths.trust, trustFiles.pins), pins);
}

async function roleSigner(paths: Paths, root: Signer, role: SigningRole, now: number): Promise<Signer> {
  const certificate = goodCertificates(paths, now)
    .filter((found) => found.role === roleNumber[role])
    .sort((a, b) => b.notAfter - a.notAfter)[0];
  if (certificate !== undefined && certificate.notAfter - now > roleOverlapMs) {
    const signer = loadKey(paths, role, false);
    if (Buffer.from(signer.publicKey).equals(certificate.publicKey)) return signer;
  }
  return newRoleKey(paths, root, role, now);
}

async function newRoleKey(paths: Paths, root: Signer, role: SigningRole, now: number): Promise<Signer> {
  const { seeds, signer } = generateComposite();
  try {
    const life = { notBefore: now - backdateMs, notAfter: now + roleLifeMs };
    const certificate = await signRole(nodeCrypto, root, { role, publicKey: signer.publicKey, ...life });
    writeSeeds(paths, role, seeds);
    const keyId = Buffer.from(nodeCrypto.sha256(signer.publicKey)).toString('hex').slice(0, 16);
    // Old certificates stay: they vouch for what was signed while they were good.
    replaceFile(join(paths.trust, trustFiles.certificates, `${role}-${keyId}.lks1`), certificate);
    return signer;
  } finally {
    wipe(seeds.mldsa, seeds.ed25519);
  }
}

interface FoundCertificate {
  readonly bytes: Uint8Array;
  readonly role: number;
  readonly publicKey: Uint8Array;
  readonly notAfter: number;
}

/** Our own files, so their layout is read without being verified: readers verify them from the pins down. */
function goodCertificates(paths: Paths, now: number): FoundCertificate[] {
  const folder = join(paths.trust, trustFiles.certificates);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.lks1'))
    .sort()
    .map((name) => describe(read(join(folder, name))))
    .filter(({ notAfter }) => notAfter > now);
}

function describe(bytes: Uint8Array): FoundCertificate {
  const { body } = parseObject(bytes);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  return {
    bytes,
    role: view.getUint8(0),
    publicKey: body.subarray(1, 1_985),
    notAfter: Number(view.getBigUint64(1_993)),
  };
}

function loadKey(paths: Paths, name: string, mayMake: boolean): Signer {
  const file = readIfPresent(keyFile(paths, name));
  if (file === undefined) {
    if (!mayMake) throw new PkiError(`The key file ${keyFile(paths, name)} is missing; restore it from a backup.`);
    return makeKey(paths, name);
  }
  try {
    if (file.length !== 64) throw new PkiError(`The key file ${keyFile(paths, name)} is damaged.`);
    return compositeFromSeeds(file.subarray(0, 32), file.subarray(32));
  } finally {
    wipe(file);
  }
}

function makeKey(paths: Paths, name: string): Signer {
  const { seeds, signer } = generateComposite();
  try {
    writeSeeds(paths, name, seeds);
    return signer;
  } finally {
    wipe(seeds.mldsa, seeds.ed25519);
  }
}

/** The file is the two seeds, ML-DSA's and then Ed25519's, 64 bytes. */
function writeSeeds(paths: Paths, name: string, seeds: { mldsa: Uint8Array; ed25519: Uint8Array }): void {
  const bytes = Buffer.concat([seeds.mldsa, seeds.ed25519]);
  try {
    replaceFile(keyFile(paths, name), bytes);
  } finally {
    wipe(bytes);
  }
}

function keyFile(paths: Paths, name: string): string {
  return join(paths.keys, `${name}.key`);
}

function read(path: string): Uint8Array {
  const bytes = readIfPresent(path);
  if (bytes === undefined) throw new PkiError(`The file ${path} is missing; restore it from a backup.`);
  return new Uint8Array(bytes);
}
