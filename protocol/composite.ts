/**
 * The pure half of id-MLDSA65-Ed25519-SHA512 (draft-ietf-lamps-pq-composite-sigs): the message that both algorithms
 * sign, and where one key or signature ends and the other begins. Each realm brings SHA-512 and the two algorithms.
 * Both halves sign M', which names the pair, so neither half is worth anything as a signature of its own.
 */
import { assertLength, concat, utf8, Writer } from './bytes.ts';
import { compositePublicBytes, compositeSignatureBytes, mldsaPublicBytes, mldsaSignatureBytes } from './limits.ts';

const prefix = utf8('CompositeAlgorithmSignatures2025');

/** The algorithm's label: part of M', and the context string of the ML-DSA half. */
export const compositeLabel: Uint8Array = utf8('COMPSIG-MLDSA65-Ed25519-SHA512');

/**
 * `M' = prefix | label | u8 len, ctx | SHA-512(M)`
 * @param digest SHA-512 of the message.
 * @param context at most 255 bytes of UTF-8.
 */
export function compositeMessage(digest: Uint8Array, context: string): Uint8Array<ArrayBuffer> {
  assertLength('SHA-512 digest', digest, 64);
  return new Writer().bytes(prefix).bytes(compositeLabel).vec8(utf8(context)).bytes(digest).done();
}

/** The two halves of a key or of a signature. */
export type CompositeParts = { readonly mldsa: Uint8Array; readonly ed25519: Uint8Array };

/** Views into `publicKey`; undefined when it has the wrong length. */
export function splitPublicKey(publicKey: Uint8Array): CompositeParts | undefined {
  return publicKey.length === compositePublicBytes ? split(publicKey, mldsaPublicBytes) : undefined;
}

/** Views into `signature`; undefined when it has the wrong length. */
export function splitSignature(signature: Uint8Array): CompositeParts | undefined {
  return signature.length === compositeSignatureBytes ? split(signature, mldsaSignatureBytes) : undefined;
}

function split(bytes: Uint8Array, at: number): CompositeParts {
  return { mldsa: bytes.subarray(0, at), ed25519: bytes.subarray(at) };
}

/** `ML-DSA half | Ed25519 half`, for keys and signatures alike. */
export function joinComposite(parts: CompositeParts): Uint8Array<ArrayBuffer> {
  return concat(parts.mldsa, parts.ed25519);
}
