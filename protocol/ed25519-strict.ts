/**
 * The one Ed25519 rule of this product, the byte half: A and R canonically encoded and not of low order, S < L.
 * With any verifier of the cofactorless equation behind it the two accept exactly what dalek's `verify_strict` does
 * (43 of CCTV's 914 edge cases). RFC 8032 leaves room here and libraries differ, so without it a dishonest signer could
 * make one verifier of an audit log say yes and another no. Everything compared is public: no constant time needed.
 */
import { copy, unhex } from './bytes.ts';
import { ed25519PublicBytes, ed25519SignatureBytes } from './limits.ts';

/** 2^255 - 19, the field's prime, little-endian as in every encoding here. */
const prime = unhex('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f');
/** The order of the base point. */
const order = unhex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');

/** y of the eight points whose order divides 8; x's sign bit cleared. With both signs and y + p they have 14 encodings. */
const lowOrderY = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
].map(unhex);

/**
 * False when the strict rule refuses this key or signature whatever the message is. True means: now ask a verifier of
 * the equation `[S]B = R + [k]A`, without a cofactor.
 */
export function passesStrictRule(publicKey: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== ed25519PublicBytes || signature.length !== ed25519SignatureBytes) return false;
  return isStrictPoint(publicKey) && isStrictPoint(signature.subarray(0, 32)) && isBelow(signature.subarray(32), order);
}

function isStrictPoint(encoded: Uint8Array): boolean {
  const y = copy(encoded);
  y[31] = y[31]! & 0x7f;
  return isBelow(y, prime) && !lowOrderY.some((low) => low.every((byte, i) => byte === y[i]));
}

/** Little-endian `a < b`. */
function isBelow(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = a.length - 1; i >= 0; i--) if (a[i] !== b[i]) return a[i]! < b[i]!;
  return false;
}
