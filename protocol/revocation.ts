/**
 * A revocation epoch, all that is revoked and has not expired by itself: LKS1 type 4, signed by the revocation key
 * (docs/protocol.md, "Revocations").
 *
 *      0  8  epoch      8  8  issued at, ms     16  2  count      18  ..  count x ( kind u8 | u8 len, id )
 */
import { copy, DecodeError, type Reader, Writer } from './bytes.ts';
import { nameOf } from './codes.ts';
import type { Crypto, Signer } from './crypto.ts';
import { objectType, openObject, readBody, signObject } from './lks1.ts';

/**
 * `session` names a credential by its serial. `signOut` names a device whose person signed out: what is kept for it goes,
 * and no credential of it is refused, as the person may have signed in again. `link` names a one-click link and so
 * every guest of it, or `link/use` one of them.
 */
export const revokedKind = { device: 1, user: 2, session: 3, service: 4, signOut: 5, link: 6 } as const;
export type RevokedKind = keyof typeof revokedKind;

export type Revocation = {
  /** Rises with every revocation. */
  readonly epoch: bigint;
  /** ms since 1970 */
  readonly issuedAt: number;
  readonly revoked: readonly { readonly kind: RevokedKind; readonly id: Uint8Array }[];
};

/** @param signer the revocation role key. */
export function signRevocation(
  crypto: Pick<Crypto, 'sha256'>,
  signer: Signer,
  revocation: Revocation,
): Promise<Uint8Array> {
  const body = new Writer().u64(revocation.epoch).u64(revocation.issuedAt).u16(revocation.revoked.length);
  for (const { kind, id } of revocation.revoked) body.u8(revokedKind[kind]).vec8(id);
  return signObject(crypto, signer, objectType.revocation, body.done());
}

function readRevocation(reader: Reader): Revocation {
  const [epoch, issuedAt, count] = [reader.u64(), reader.time(), reader.u16()];
  const revoked = Array.from({ length: count }, () => {
    const kind = nameOf(revokedKind, reader.u8());
    if (kind === undefined) throw new DecodeError('revocation kind');
    return { kind, id: copy(reader.vec8()) };
  });
  return { epoch, issuedAt, revoked };
}

/** Believes a revocation epoch, or throws ObjectError. It has no end: a later one replaces it. */
export async function verifyRevocation(
  crypto: Pick<Crypto, 'sha256' | 'verify'>,
  bytes: Uint8Array,
  revocationPublicKey: Uint8Array,
): Promise<Revocation> {
  const expected = { type: objectType.revocation, signerPublicKey: revocationPublicKey };
  return readBody(await openObject(crypto, bytes, expected), readRevocation);
}
