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
import { maxRootGenerations } from '../../protocol/limits.ts';
import {
  decodeCertificate,
  type Generation,
  pinsFingerprint,
  type Role,
  type RoleCertificate,
  roleNumber,
  signPins,
  signRole,
} from '../../protocol/pins.ts';
import type { CertifiedSigner } from '../audit/audit-object.ts';
import { trustFiles } from '../audit/trust.ts';
import { generateComposite } from '../crypto/composite-key.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { makePrivateFolder, replaceFile } from '../store/files.ts';
import { type KeyPaths, loadKey, readPublic, writeSeeds } from './key-files.ts';
import { earlierGenerations, type Rotated, rotateRoot, settleRotation } from './root-rotation.ts';

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
  /** Roots that were in use before, the oldest first: who knows only them follows from there (`followPins`). */
  readonly earlier: readonly Generation[];
  /** The key in use now. */
  signer(role: SigningRole): Signer;
  /** The same with its certificate, for what others have to verify. */
  certified(role: SigningRole): CertifiedSigner;
  /** Makes the successors that are due. @returns whether any was */
  renew(now: number): Promise<boolean>;
  /** Puts the next root in the place of the current one. @throws PkiError */
  rotateRoot(now: number): Promise<Rotated>;
}

/** Opens the keys of an installation, makes what is missing, renews what nears its end. @throws PkiError */
export async function openPki(paths: KeyPaths, clock: Pick<Clock, 'now'>): Promise<Pki> {
  makePrivateFolder(paths.keys);
  settleRotation(paths);
  makePrivateFolder(join(paths.trust, trustFiles.certificates));
  if (!existsSync(join(paths.trust, trustFiles.pins))) await writeFirstPins(paths);
  let open = await openGeneration(paths, clock.now());
  // One after the other: a rotation and a renewal write to the same folders.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const turn = last.then(act);
    last = turn.catch(() => undefined);
    return turn;
  };
  return {
    get root() {
      return open.root.publicKey;
    },
    get pins() {
      return open.pins;
    },
    get fingerprint() {
      return open.fingerprint;
    },
    get earlier() {
      return open.earlier;
    },
    get certificates() {
      return open.keys.certificates;
    },
    signer: (role) => open.keys.signer(role),
    certified: (role) => open.keys.certified(role),
    renew: (now) => inTurn(() => open.keys.renew(now)),
    rotateRoot: (now) =>
      inTurn(async () => {
        const rotated = await rotateRoot(paths, now);
        open = await openGeneration(paths, now);
        return rotated;
      }),
  };
}

/** What one root stands for, as it is in the files. */
async function openGeneration(paths: KeyPaths, now: number) {
  const root = loadKey(paths, 'root');
  loadKey(paths, 'root-next');
  const pins = readPublic(join(paths.trust, trustFiles.pins));
  const keys = new RoleKeys(paths, root);
  await keys.renew(now);
  // No more than a browser walks, with the one in use; who knows only older ones enrols anew.
  const earlier = earlierGenerations(paths).slice(1 - maxRootGenerations);
  return { root, pins, fingerprint: pinsFingerprint(nodeCrypto, pins), earlier, keys };
}

/** The role keys in use and their certificates. */
class RoleKeys {
  readonly #paths: KeyPaths;
  readonly #root: Signer;
  #signers: ReadonlyMap<SigningRole, Signer> = new Map();
  #certificates: readonly FoundCertificate[] = [];

  constructor(paths: KeyPaths, root: Signer) {
    this.#paths = paths;
    this.#root = root;
  }

  get certificates(): Uint8Array[] {
    return this.#certificates.map(({ bytes }) => bytes);
  }

  signer(role: SigningRole): Signer {
    return this.#signers.get(role) ?? unreachable(role);
  }

  certified(role: SigningRole): CertifiedSigner {
    const signer = this.signer(role);
    const found = this.#certificates.find(({ publicKey }) => Buffer.from(publicKey).equals(signer.publicKey));
    return { signer, certificate: found?.bytes ?? unreachable(role) };
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
  return !certificates.some((found) => found.role === role && found.notAfter - now > roleOverlapMs);
}

function unreachable(role: string): never {
  throw new TypeError(`there is no key for the role ${role}`);
}

async function writeFirstPins(paths: KeyPaths): Promise<void> {
  const [root, next] = [loadKey(paths, 'root', 'make'), loadKey(paths, 'root-next', 'make')];
  const pins = await signPins(nodeCrypto, root, {
    current: nodeCrypto.sha256(root.publicKey),
    next: nodeCrypto.sha256(next.publicKey),
  });
  replaceFile(join(paths.trust, trustFiles.root), root.publicKey);
  // Last, because its presence says that the keys were made.
  replaceFile(join(paths.trust, trustFiles.pins), pins);
}

async function roleSigner(paths: KeyPaths, root: Signer, role: SigningRole, now: number): Promise<Signer> {
  const certificate = goodCertificates(paths, now)
    .filter((found) => found.role === role)
    .sort((a, b) => b.notAfter - a.notAfter)[0];
  if (certificate !== undefined && certificate.notAfter - now > roleOverlapMs) {
    const signer = loadKey(paths, role);
    if (Buffer.from(signer.publicKey).equals(certificate.publicKey)) return signer;
  }
  return newRoleKey(paths, root, role, now);
}

async function newRoleKey(paths: KeyPaths, root: Signer, role: SigningRole, now: number): Promise<Signer> {
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

interface FoundCertificate extends RoleCertificate {
  readonly bytes: Uint8Array;
}

/** Our own files, so their layout is read without being verified: readers verify them from the pins down. */
function goodCertificates(paths: KeyPaths, now: number): FoundCertificate[] {
  const folder = join(paths.trust, trustFiles.certificates);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.lks1'))
    .sort()
    .map((name) => readPublic(join(folder, name)))
    .map((bytes) => ({ bytes, ...decodeCertificate(bytes) }))
    .filter(({ notAfter }) => notAfter > now);
}
