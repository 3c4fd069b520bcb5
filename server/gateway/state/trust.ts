/**
 * Whose word the gateway takes: the root it was given at its first welcome, the role keys that this root certifies, and
 * the documents those keys sign. Whatever carried a document here, its signature decides (docs/protocol.md, "Trust").
 */
import { existsSync, readFileSync } from 'node:fs';
import { base64url, equal, hex, Reader, unbase64url } from '../../../protocol/bytes.ts';
import type { Clock } from '../../../protocol/clock.ts';
import type { Crypto } from '../../../protocol/crypto.ts';
import { type GatewayDescriptor, verifyDescriptor } from '../../../protocol/descriptor.ts';
import { clockSkewMs } from '../../../protocol/limits.ts';
import { checkLife, ObjectError, parseObject } from '../../../protocol/lks1.ts';
import { type Role, verifyRole } from '../../../protocol/pins.ts';
import { type Revocation, verifyRevocation } from '../../../protocol/revocation.ts';
import { type PolicySnapshot, verifySnapshot } from '../../../protocol/snapshot.ts';
import { type VerifiedSvid, verifySvid } from '../../../protocol/svid.ts';
import { svidVerdicts } from '../limits.ts';
import { writeWhole } from './whole-file.ts';

type UsedRole = Extract<Role, 'directory' | 'svid' | 'policy' | 'revocation'>;
const usedRoles: readonly UsedRole[] = ['directory', 'svid', 'policy', 'revocation'];

/** A key and the end of its certificate, ms since 1970, exclusive. */
interface RoleKey {
  readonly key: Uint8Array;
  readonly notAfter: number;
}

export interface TrustOptions {
  readonly crypto: Crypto;
  readonly clock: Clock;
  /** Where the root of the first welcome is remembered. */
  readonly rootFile: string;
}

export class Trust {
  readonly #options: TrustOptions;
  #root: Uint8Array | undefined;
  #keys = new Map<UsedRole, RoleKey[]>();
  /** Credentials that were found good, by the hash of all their bytes. */
  readonly #svids = new Map<string, VerifiedSvid>();

  constructor(options: TrustOptions) {
    this.#options = options;
    if (existsSync(options.rootFile)) this.#root = unbase64url(readFileSync(options.rootFile, 'utf8').trim());
  }

  /**
   * Takes the root and the certificates of a welcome. The first root is remembered; another one later is refused,
   * unless the old root certified it.
   * @throws ObjectError when one of the roles we need has no good certificate, or the root is a stranger's.
   */
  async adopt(root: Uint8Array, certificates: readonly Uint8Array[]): Promise<void> {
    const trusted = this.#root === undefined || equal(this.#root, root) || (await this.#succeeds(root, certificates));
    if (!trusted) throw new ObjectError('wrong_signer');
    const keys = new Map<UsedRole, RoleKey[]>();
    for (const role of usedRoles) keys.set(role, await this.#keysOf(role, root, certificates));
    this.#keys = keys;
    if (this.#root === undefined || !equal(this.#root, root)) writeWhole(this.#options.rootFile, base64url(root));
    this.#root = root;
  }

  /** One that was verified before is only looked at for its life, and for that of the key that signed it. */
  async svid(bytes: Uint8Array): Promise<VerifiedSvid> {
    const { crypto, clock } = this.#options;
    const signer = this.#signerOf(bytes, 'svid');
    const name = hex(crypto.sha256(bytes));
    const known = this.#svids.get(name);
    if (known === undefined) return this.#remember(name, await verifySvid(crypto, clock, bytes, signer));
    checkLife(clock.now(), known, clockSkewMs);
    return known;
  }

  /** The oldest verdict makes room. */
  #remember(name: string, svid: VerifiedSvid): VerifiedSvid {
    const [oldest] = this.#svids.keys();
    if (this.#svids.size >= svidVerdicts && oldest !== undefined) this.#svids.delete(oldest);
    this.#svids.set(name, svid);
    return svid;
  }

  async snapshot(bytes: Uint8Array): Promise<PolicySnapshot> {
    const { crypto, clock } = this.#options;
    return verifySnapshot(crypto, clock, bytes, this.#signerOf(bytes, 'policy'));
  }

  async revocation(bytes: Uint8Array): Promise<Revocation> {
    return verifyRevocation(this.#options.crypto, bytes, this.#signerOf(bytes, 'revocation'));
  }

  async descriptor(bytes: Uint8Array): Promise<GatewayDescriptor> {
    const { crypto, clock } = this.#options;
    return verifyDescriptor(crypto, clock, bytes, this.#signerOf(bytes, 'directory'));
  }

  /** The key of this role that the document names, while its certificate lives; old and new overlap for a while. */
  #signerOf(bytes: Uint8Array, role: UsedRole): Uint8Array {
    const { keyId } = parseObject(bytes);
    const { crypto, clock } = this.#options;
    const now = clock.now();
    const living = this.#keys.get(role)?.filter(({ notAfter }) => now < notAfter);
    const found = living?.find(({ key }) => equal(crypto.sha256(key), keyId));
    if (found === undefined) throw new ObjectError('wrong_signer');
    return found.key;
  }

  async #keysOf(role: UsedRole, root: Uint8Array, certificates: readonly Uint8Array[]): Promise<RoleKey[]> {
    const { crypto, clock } = this.#options;
    const tried = await Promise.allSettled(
      certificates.map(async (certificate) => {
        const key = await verifyRole(crypto, clock, root, certificate, role);
        return { key, notAfter: endOf(certificate) };
      }),
    );
    const keys = tried.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    if (keys.length > 0) return keys;
    throw new ObjectError('wrong_subject', { cause: tried.find((result) => result.status === 'rejected')?.reason });
  }

  /** The root we know certified this one as its successor (role 0). */
  async #succeeds(root: Uint8Array, certificates: readonly Uint8Array[]): Promise<boolean> {
    const { crypto, clock } = this.#options;
    for (const certificate of certificates) {
      const next = await verifyRole(crypto, clock, this.#root!, certificate, 'root').catch(() => undefined);
      if (next !== undefined && equal(next, root)) return true;
    }
    return false;
  }
}

/** When a certificate ends that `verifyRole` believed: the last field of its body (protocol/pins.ts). */
const endOf = (certificate: Uint8Array): number => new Reader(parseObject(certificate).body.subarray(-8)).time();
