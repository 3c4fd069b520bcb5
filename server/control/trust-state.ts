/**
 * The keys of the installation, as the administrators who look after them see them: roots, role keys, the authority of
 * certificates, each by its fingerprint, and whether a rotation waits. Public halves alone.
 */
import { hex } from '../../protocol/bytes.ts';
import { decodeCertificate, pinsFingerprint, type Role, verifyPins } from '../../protocol/pins.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { listChanges } from './changes.ts';
import type { Context } from './context.ts';
import { publishedWitKeys } from './wit-keys.ts';

/** Fingerprints and ids are SHA-256 in hex, times ms since 1970. */
export interface TrustState {
  /** Of the pins, which is what people compare; the one in force first. */
  readonly roots: { readonly fingerprint: string; readonly inForce: boolean }[];
  /** Of the root key that takes over at the next rotation: pinned by everybody already. */
  readonly nextRoot: string;
  readonly keys: {
    readonly role: Role;
    readonly id: string;
    readonly notBefore: number;
    readonly notAfter: number;
    /** It signs now; another one is published for what it signed, or vouches for the root after it. */
    readonly signs: boolean;
  }[];
  /** Of X.509-SVIDs. */
  readonly authority: { readonly fingerprint: string; readonly notAfter: number };
  /** RFC 7638 thumbprints of the keys that WIT-SVIDs are checked by. */
  readonly tokenKeys: string[];
  /** Waits for two administrators. */
  readonly rotation?: { readonly requestedAt: number; readonly approvals: number; readonly needed: number };
}

export async function trustState(context: Context): Promise<TrustState> {
  const { pki, ca } = context;
  const { next } = await verifyPins(nodeCrypto, pki.pins, { rootPublicKey: pki.root, fingerprint: pki.fingerprint });
  const earlier = pki.earlier.map(({ pins }) => pinsFingerprint(nodeCrypto, pins)).toReversed();
  const waiting = (await listChanges(context)).find(({ kind }) => kind === 'root.rotate');
  return {
    roots: [pki.fingerprint, ...earlier].map((fingerprint, place) => ({
      fingerprint: hex(fingerprint),
      inForce: place === 0,
    })),
    nextRoot: hex(next),
    keys: pki.certificates.map((certificate) => keyOf(context, certificate)),
    authority: { fingerprint: hex(ca.fingerprint), notAfter: ca.notAfter },
    tokenKeys: (await publishedWitKeys(context)).keys.map(({ kid }) => kid),
    ...(waiting !== undefined && {
      rotation: { requestedAt: waiting.requestedAt, approvals: waiting.approvals.length, needed: waiting.needed },
    }),
  };
}

function keyOf({ pki }: Pick<Context, 'pki'>, certificate: Uint8Array): TrustState['keys'][number] {
  const { role, publicKey, notBefore, notAfter } = decodeCertificate(certificate);
  const signs = role !== 'root' && Buffer.from(pki.signer(role).publicKey).equals(publicKey);
  return { role, id: hex(nodeCrypto.sha256(publicKey)), notBefore, notAfter, signs };
}
