/**
 * LKS1, the one format of every signed document (docs/protocol.md, "Signed objects").
 *
 *      0     4  "LKS1"
 *      4     1  type
 *      5    32  kid = SHA-256(signer's public key)
 *     37     4  body length n
 *     41     n  body
 *     41+n 3373 composite signature over bytes 0..41+n, ctx "Latchkey/1 object <type>"
 *
 * The type is in the bytes and in the signature's context: a document can't be passed off as one of another kind.
 * Opening says who signed and that nothing changed; whether the signer may say so is its caller's question.
 */
import { concat, copy, DecodeError, equal, Reader, utf8, Writer } from './bytes.ts';
import type { Crypto, Signer } from './crypto.ts';
import { objectContext } from './labels.ts';
import { compositeSignatureBytes, hashBytes, maxObjectBodyBytes } from './limits.ts';

/** What a signed object can be. */
export const objectType = {
  descriptor: 1,
  svid: 2,
  snapshot: 3,
  revocation: 4,
  posture: 5,
  anchor: 6,
  receipt: 7,
  certificate: 8,
  pins: 9,
  auditStart: 10,
  retention: 11,
} as const;
export type ObjectType = (typeof objectType)[keyof typeof objectType];

export type ObjectErrorCode =
  | 'malformed'
  | 'wrong_type'
  | 'wrong_signer'
  | 'bad_signature'
  | 'not_yet_valid'
  | 'expired'
  | 'wrong_subject'
  | 'unsupported';

/** A signed document that must not be believed, and why. */
export class ObjectError extends Error {
  readonly code: ObjectErrorCode;
  constructor(code: ObjectErrorCode, options?: ErrorOptions) {
    super(`signed object: ${code}`, options);
    this.name = 'ObjectError';
    this.code = code;
  }
}

const magic = utf8('LKS1');

/** The layout taken apart, nothing verified. The fields are views into the given bytes. */
export type UnverifiedObject = {
  readonly type: number;
  readonly keyId: Uint8Array;
  readonly body: Uint8Array;
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
};

/** Signs `body` as one document. */
export async function signObject(
  crypto: Pick<Crypto, 'sha256'>,
  signer: Signer,
  type: ObjectType,
  body: Uint8Array,
): Promise<Uint8Array> {
  if (body.length > maxObjectBodyBytes) throw new RangeError('the body is too long for a signed object');
  const signed = new Writer().bytes(magic).u8(type).bytes(crypto.sha256(signer.publicKey)).vec32(body).done();
  return concat(signed, await signer.sign(signed, objectContext(type)));
}

/** Splits a document without believing it, for showing and for finding the key that must have signed it. */
export function parseObject(bytes: Uint8Array): UnverifiedObject {
  try {
    const reader = new Reader(bytes);
    if (!equal(reader.bytes(magic.length), magic)) throw new DecodeError('LKS1 magic');
    const type = reader.u8();
    const keyId = reader.bytes(hashBytes);
    const length = reader.u32();
    if (length > maxObjectBodyBytes) throw new DecodeError('LKS1 body length');
    const body = reader.bytes(length);
    const signature = reader.bytes(compositeSignatureBytes);
    reader.end();
    return { type, keyId, body, signed: bytes.subarray(0, bytes.length - compositeSignatureBytes), signature };
  } catch (cause) {
    throw asObjectError(cause);
  }
}

/**
 * @returns the body, a copy the caller owns.
 * @throws ObjectError unless the document has this type and this signer's signature.
 */
export async function openObject(
  crypto: Pick<Crypto, 'sha256' | 'verify'>,
  bytes: Uint8Array,
  expected: { readonly type: ObjectType; readonly signerPublicKey: Uint8Array },
): Promise<Uint8Array> {
  const object = parseObject(copy(bytes)); // a copy: what is verified must be what is read, whoever else holds `bytes`
  if (object.type !== expected.type) throw new ObjectError('wrong_type');
  if (!equal(object.keyId, crypto.sha256(expected.signerPublicKey))) throw new ObjectError('wrong_signer');
  const context = objectContext(expected.type);
  if (!(await crypto.verify(expected.signerPublicKey, object.signed, context, object.signature)))
    throw new ObjectError('bad_signature');
  return object.body;
}

/** Decodes a verified body; what its fields got wrong becomes `malformed`. */
export function readBody<T>(body: Uint8Array, read: (reader: Reader) => T): T {
  try {
    const reader = new Reader(body);
    const value = read(reader);
    reader.end();
    return value;
  } catch (cause) {
    throw asObjectError(cause);
  }
}

function asObjectError(cause: unknown): unknown {
  return cause instanceof DecodeError ? new ObjectError('malformed', { cause }) : cause;
}

/** The life of a document: `notBefore - skew <= now < notAfter`. The skew never lengthens it. */
export function checkLife(now: number, life: { notBefore: number; notAfter: number }, skewMs: number): void {
  if (life.notAfter <= now) throw new ObjectError('expired');
  if (life.notBefore > now + skewMs) throw new ObjectError('not_yet_valid');
}
