/**
 * First trust (docs/protocol.md, "Trust"): the pins of an installation and the certificates of its role keys.
 *
 *   pins (LKS1 type 9), signed by the current root
 *      0    32  SHA-256(current root key)      32  32  SHA-256(next root key)
 *   certificate (LKS1 type 8), signed by a root
 *      0     1  role      1  1984  role key    1985  8  not before, ms    1993  8  not after, ms
 *
 * The fingerprint of the pins, SHA-256 over the whole object, rides in the fragment of each enrolment link.
 */
import { assertLength, copy, DecodeError, equal, type Reader, Writer } from './bytes.ts';
import type { Clock } from './clock.ts';
import { nameOf } from './codes.ts';
import type { Crypto, Signer } from './crypto.ts';
import * as limits from './limits.ts';
import { checkLife, ObjectError, objectType, openObject, parseObject, readBody, signObject } from './lks1.ts';

/** One key each, so that each can become a process of its own. `root` is the next root, certified by the current. */
export const roleNumber = { root: 0, directory: 1, svid: 2, policy: 3, notary: 4, audit: 5, revocation: 6 } as const;
export type Role = keyof typeof roleNumber;

export type RoleCertificate = {
  readonly role: Role;
  /** Composite, 1984 bytes. */
  readonly publicKey: Uint8Array;
  /** ms since 1970 */
  readonly notBefore: number;
  /** ms since 1970, exclusive */
  readonly notAfter: number;
};

/** @param root signer of the root key. */
export function signRole(
  crypto: Pick<Crypto, 'sha256'>,
  root: Signer,
  certificate: RoleCertificate,
): Promise<Uint8Array> {
  assertLength('publicKey', certificate.publicKey, limits.compositePublicBytes);
  const body = new Writer()
    .u8(roleNumber[certificate.role])
    .bytes(certificate.publicKey)
    .u64(certificate.notBefore)
    .u64(certificate.notAfter)
    .done();
  return signObject(crypto, root, objectType.certificate, body);
}

function readCertificate(reader: Reader): RoleCertificate {
  const role = nameOf(roleNumber, reader.u8());
  if (role === undefined) throw new DecodeError('role');
  const publicKey = copy(reader.bytes(limits.compositePublicBytes));
  return { role, publicKey, notBefore: reader.time(), notAfter: reader.time() };
}

/** What a certificate says, unverified: for whoever holds it as its own. @throws ObjectError `malformed` */
export function decodeCertificate(certificate: Uint8Array): RoleCertificate {
  return readBody(parseObject(certificate).body, readCertificate);
}

/**
 * The key that may sign for `role`, or ObjectError: `wrong_subject` for a certificate of another role.
 * @param rootPublicKey one whose hash is pinned ({@link verifyPins}).
 */
export async function verifyRole(
  crypto: Pick<Crypto, 'sha256' | 'verify'>,
  clock: Pick<Clock, 'now'>,
  rootPublicKey: Uint8Array,
  certificate: Uint8Array,
  role: Role,
): Promise<Uint8Array> {
  const expected = { type: objectType.certificate, signerPublicKey: rootPublicKey };
  const found = readBody(await openObject(crypto, certificate, expected), readCertificate);
  if (found.role !== role) throw new ObjectError('wrong_subject');
  checkLife(clock.now(), found, limits.clockSkewMs);
  return found.publicKey;
}

/** SHA-256 of the two root keys that an installation trusts. */
export type Pins = { readonly current: Uint8Array; readonly next: Uint8Array };

/** @param root signer of the current root, whose hash must be `pins.current`. */
export async function signPins(crypto: Pick<Crypto, 'sha256'>, root: Signer, pins: Pins): Promise<Uint8Array> {
  assertLength('current', pins.current, limits.hashBytes);
  assertLength('next', pins.next, limits.hashBytes);
  if (!equal(pins.current, crypto.sha256(root.publicKey))) throw new TypeError('the current root signs its own pins');
  return signObject(crypto, root, objectType.pins, new Writer().bytes(pins.current).bytes(pins.next).done());
}

/**
 * Believes pins whose fingerprint the caller already has, or throws ObjectError.
 * @param rootPublicKey comes from anywhere: it counts only because the pins name its hash.
 */
export async function verifyPins(
  crypto: Pick<Crypto, 'sha256' | 'verify'>,
  bytes: Uint8Array,
  expected: { readonly rootPublicKey: Uint8Array; readonly fingerprint: Uint8Array },
): Promise<Pins> {
  if (!equal(crypto.sha256(bytes), expected.fingerprint)) throw new ObjectError('wrong_subject');
  const opened = { type: objectType.pins, signerPublicKey: expected.rootPublicKey };
  const pins = readBody(await openObject(crypto, bytes, opened), (reader) => ({
    current: copy(reader.bytes(limits.hashBytes)),
    next: copy(reader.bytes(limits.hashBytes)),
  }));
  if (!equal(pins.current, crypto.sha256(expected.rootPublicKey))) throw new ObjectError('wrong_signer');
  return pins;
}

/** The roots of one time: pins, and the root key that signed them. The next generation's root is the one they name second. */
export interface Generation {
  /** LKS1 type 9. */
  readonly pins: Uint8Array;
  readonly root: Uint8Array;
}

/**
 * Follows an installation from the pins that the caller knows to those in use: every root on the way was named by the
 * pins before it, so that nobody can lead on who does not hold the next root key.
 * @param generations the oldest first, the one in use last; from anywhere. Those before the known one do not matter.
 * @returns the root key in use, and the fingerprint of its pins
 * @throws ObjectError `wrong_subject` when none of them is the known one, `wrong_signer` when a step leaves the pinned path
 */
export async function followPins(
  crypto: Pick<Crypto, 'sha256' | 'verify'>,
  generations: readonly Generation[],
  fingerprint: Uint8Array,
): Promise<{ readonly root: Uint8Array; readonly fingerprint: Uint8Array }> {
  if (generations.length > limits.maxRootGenerations) throw new ObjectError('malformed');
  const known = generations.findIndex(({ pins }) => equal(crypto.sha256(pins), fingerprint));
  const [first, ...later] = generations.slice(known);
  if (known < 0 || first === undefined) throw new ObjectError('wrong_subject');
  let reached = { root: first.root, fingerprint };
  let believed = await verifyPins(crypto, first.pins, { rootPublicKey: first.root, fingerprint });
  for (const { pins, root } of later) {
    if (!equal(crypto.sha256(root), believed.next)) throw new ObjectError('wrong_signer');
    reached = { root, fingerprint: crypto.sha256(pins) };
    believed = await verifyPins(crypto, pins, { rootPublicKey: root, fingerprint: reached.fingerprint });
  }
  return reached;
}

/** What people compare and links carry. */
export function pinsFingerprint(crypto: Pick<Crypto, 'sha256'>, pins: Uint8Array): Uint8Array {
  return crypto.sha256(pins);
}
