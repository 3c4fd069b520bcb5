/**
 * Suite 1 of the second implementation, on @noble: X25519MLKEM768, ChaCha20-Poly1305, HKDF-SHA256 and the composite
 * signature (docs/protocol.md, "Roles", "Shape", "Key schedule"). Slow, obvious, and not for the product.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import * as hkdf from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { Cursor, cat, isZero, must, text, uint, vec } from './bytes.ts';

/** Fresh bytes for a purpose: `x25519` 32, `mlkem` 64 (d | z), `m` 32, `random` 32, `cookie` 32, `session` 16. */
export type Draw = (purpose: 'x25519' | 'mlkem' | 'm' | 'random' | 'cookie' | 'session', bytes: number) => Uint8Array;

export const H = (...parts: Uint8Array[]): Uint8Array => sha256(cat(...parts));
export const mac = (key: Uint8Array, ...parts: Uint8Array[]): Uint8Array => hmac(sha256, key, cat(...parts));
export const extract = (salt: Uint8Array, input: Uint8Array): Uint8Array => hkdf.extract(sha256, input, salt);

/** `L(k, label, ctx, n)` */
export function L(key: Uint8Array, label: string, context: Uint8Array, length = 32): Uint8Array {
  const info = cat(uint(length, 2), vec(1, text(`lk1 ${label}`)), vec(1, context));
  return hkdf.expand(sha256, key, info, length);
}

/** AEAD under an explicit counter: `0^4 | u64 little-endian`. */
function aead(key: Uint8Array, counter: number, ad: Uint8Array) {
  return chacha20poly1305(key, cat(new Uint8Array(4), uint(counter, 8).reverse()), ad);
}

export const seal = (key: Uint8Array, counter: number, ad: Uint8Array, plain: Uint8Array): Uint8Array =>
  aead(key, counter, ad).encrypt(plain);

export function open(key: Uint8Array, counter: number, ad: Uint8Array, sealed: Uint8Array): Uint8Array {
  must(sealed.length >= 16, 'a ciphertext without a tag');
  try {
    return aead(key, counter, ad).decrypt(sealed);
  } catch {
    return must(false, 'a tag that does not match') as never;
  }
}

// ── key exchange: ML-KEM first, everywhere ──

export type Offer = { readonly share: Uint8Array; readonly finish: (answer: Uint8Array) => Uint8Array };

export function offer(draw: Draw): Offer {
  const kem = ml_kem768.keygen(draw('mlkem', 64));
  const scalar = draw('x25519', 32);
  return {
    share: cat(kem.publicKey, x25519.getPublicKey(scalar)),
    finish(answer) {
      const from = new Cursor(answer);
      const shared = ml_kem768.decapsulate(from.take(1088), kem.secretKey);
      const point = from.take(32);
      from.end();
      return cat(shared, agreed(scalar, point));
    },
  };
}

export function answer(share: Uint8Array, draw: Draw): { readonly share: Uint8Array; readonly secret: Uint8Array } {
  const from = new Cursor(share);
  const [key, point] = [from.take(1184), from.take(32)];
  from.end();
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(key, draw('m', 32));
  const scalar = draw('x25519', 32);
  return { share: cat(cipherText, x25519.getPublicKey(scalar)), secret: cat(sharedSecret, agreed(scalar, point)) };
}

function agreed(scalar: Uint8Array, point: Uint8Array): Uint8Array {
  const shared = x25519.scalarMult(scalar, point); // throws on an all-zero result
  must(!isZero(shared), 'an X25519 share of low order');
  return shared;
}

// ── id-MLDSA65-Ed25519-SHA512 ──

const label = text('COMPSIG-MLDSA65-Ed25519-SHA512');
const prime = (message: Uint8Array, context: string): Uint8Array =>
  cat(text('CompositeAlgorithmSignatures2025'), label, vec(1, text(context)), sha512(message));

export type SigningKey = {
  readonly publicKey: Uint8Array;
  readonly sign: (message: Uint8Array, context: string) => Uint8Array;
};

export function signingKey(mldsaSeed: Uint8Array, ed25519Seed: Uint8Array): SigningKey {
  const mldsa = ml_dsa65.keygen(mldsaSeed);
  return {
    publicKey: cat(mldsa.publicKey, ed25519.getPublicKey(ed25519Seed)),
    sign(message, context) {
      const both = prime(message, context);
      const first = ml_dsa65.sign(both, mldsa.secretKey, { context: label, extraEntropy: false });
      return cat(first, ed25519.sign(both, ed25519Seed));
    },
  };
}

export function verify(publicKey: Uint8Array, message: Uint8Array, context: string, signature: Uint8Array): boolean {
  if (publicKey.length !== 1984 || signature.length !== 3373) return false;
  const both = prime(message, context);
  return (
    verifyEd25519(publicKey.subarray(1952), both, signature.subarray(3309)) &&
    ml_dsa65.verify(signature.subarray(0, 3309), both, publicKey.subarray(0, 1952), { context: label })
  );
}

/** dalek's verify_strict, by the curve and not by lists of bytes: canonical, of no low order, without the cofactor. */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const { Point } = ed25519;
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const littleEndian = (bytes: Uint8Array): bigint => new Cursor(bytes.slice().reverse()).big(bytes.length);
  try {
    const [A, R] = [Point.fromBytes(publicKey, false), Point.fromBytes(signature.slice(0, 32), false)];
    const S = littleEndian(signature.slice(32));
    if (A.isSmallOrder() || R.isSmallOrder() || S >= Point.Fn.ORDER) return false;
    const k = Point.Fn.create(littleEndian(sha512(cat(signature.slice(0, 32), publicKey, message))));
    return Point.BASE.multiplyUnsafe(S).equals(R.add(A.multiplyUnsafe(k)));
  } catch {
    return false;
  }
}
