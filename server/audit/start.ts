/**
 * Where a log begins whose older events were dropped (LKS1 type 10): the audit key's word on what the first event that is
 * left follows. Nobody without that key can cut a log from its front; an anchor will not do, it is of another type.
 *
 *     0   8  seq of the last event that was dropped
 *     8  32  its hash
 *    40   8  time, ms
 */
import { assertLength, copy, Writer } from '../../protocol/bytes.ts';
import type { Crypto, Signer } from '../../protocol/crypto.ts';
import { objectType, openObject, parseObject, readBody, signObject } from '../../protocol/lks1.ts';

export interface AuditStart {
  readonly seq: number;
  readonly hash: Uint8Array;
  /** ms since 1970 */
  readonly time: number;
}

/** @param signer the audit role key. */
export function signStart(crypto: Pick<Crypto, 'sha256'>, signer: Signer, start: AuditStart): Promise<Uint8Array> {
  assertLength('hash', start.hash, 32);
  const body = new Writer().u64(start.seq).bytes(start.hash).u64(start.time).done();
  return signObject(crypto, signer, objectType.auditStart, body);
}

/** @throws ObjectError unless this key signed it. */
export async function openStart(
  crypto: Pick<Crypto, 'sha256' | 'verify'>,
  bytes: Uint8Array,
  auditPublicKey: Uint8Array,
): Promise<AuditStart> {
  return decode(await openObject(crypto, bytes, { type: objectType.auditStart, signerPublicKey: auditPublicKey }));
}

/** The fields nobody verified: to find the certificate of the time it was signed at. */
export function peekStart(bytes: Uint8Array): AuditStart & { readonly keyId: Uint8Array } {
  const { body, keyId } = parseObject(bytes);
  return { ...decode(body), keyId };
}

function decode(body: Uint8Array): AuditStart {
  return readBody(body, (reader) => ({ seq: reader.time(), hash: copy(reader.bytes(32)), time: reader.time() }));
}
