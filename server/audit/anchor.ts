/**
 * An audit anchor (LKS1 type 6): the audit key's word on how long the chain is and how it ends.
 *
 *     0   8  seq of the last event covered
 *     8  32  its hash
 *    40   8  time, ms
 *    48  32  SHA-256 of the previous anchor in the file, zeros for the first
 *
 * Whoever edits the database without the audit key cannot make one; whoever drops an anchor breaks the line of them.
 */
import { assertLength, copy, Writer } from '../../protocol/bytes.ts';
import type { Crypto, Signer } from '../../protocol/crypto.ts';
import { objectType, openObject, parseObject, readBody, signObject } from '../../protocol/lks1.ts';

export interface Anchor {
  readonly seq: number;
  readonly hash: Uint8Array;
  /** ms since 1970 */
  readonly time: number;
  readonly previous: Uint8Array;
}

/** @param signer the audit role key. */
export function signAnchor(crypto: Pick<Crypto, 'sha256'>, signer: Signer, anchor: Anchor): Promise<Uint8Array> {
  assertLength('hash', anchor.hash, 32);
  assertLength('previous', anchor.previous, 32);
  const body = new Writer().u64(anchor.seq).bytes(anchor.hash).u64(anchor.time).bytes(anchor.previous).done();
  return signObject(crypto, signer, objectType.anchor, body);
}

/** @throws ObjectError unless this key signed it. */
export async function openAnchor(
  crypto: Pick<Crypto, 'sha256' | 'verify'>,
  bytes: Uint8Array,
  auditPublicKey: Uint8Array,
): Promise<Anchor> {
  const body = await openObject(crypto, bytes, { type: objectType.anchor, signerPublicKey: auditPublicKey });
  return decode(body);
}

/** The fields nobody verified: to find the certificate of the time it was signed at. */
export function peekAnchor(bytes: Uint8Array): Anchor & { readonly keyId: Uint8Array } {
  const { body, keyId } = parseObject(bytes);
  return { ...decode(body), keyId };
}

function decode(body: Uint8Array): Anchor {
  return readBody(body, (reader) => ({
    seq: reader.time(),
    hash: copy(reader.bytes(32)),
    time: reader.time(),
    previous: copy(reader.bytes(32)),
  }));
}
