/**
 * X25519MLKEM768 on node:crypto (draft-ietf-tls-ecdhe-mlkem: ML-KEM first, in keys, ciphertext and secret).
 * FIPS 203, RFC 7748. Keys live for one exchange; OpenSSL holds the private halves and frees them with their handles.
 */
import {
  createPublicKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { concat, wipe } from '../../protocol/bytes.ts';
import type { KeyAnswer, KeyOffer } from '../../protocol/crypto.ts';
import { answerBytes, mlkemCiphertextBytes, mlkemPublicBytes, offerBytes } from '../../protocol/limits.ts';

type PrivateHalves = { readonly mlkem: KeyObject; readonly x25519: KeyObject };

/** The side that speaks first. */
export class NodeKeyOffer implements KeyOffer {
  readonly share: Uint8Array;
  #keys: PrivateHalves | undefined;

  constructor() {
    const mlkem = generateKeyPairSync('ml-kem-768');
    const x25519 = generateKeyPairSync('x25519');
    this.share = concat(rawPublic(mlkem.publicKey), rawPublic(x25519.publicKey));
    this.#keys = { mlkem: mlkem.privateKey, x25519: x25519.privateKey };
  }

  finish(answer: Uint8Array): Uint8Array {
    const keys = this.#keys;
    if (keys === undefined) throw new TypeError('this key offer was used or wiped');
    this.wipe();
    if (answer.length !== answerBytes) throw new RangeError('share_g has the wrong length');
    const ciphertext = answer.subarray(0, mlkemCiphertextBytes);
    return both(decapsulate(keys.mlkem, ciphertext), agree(keys.x25519, answer.subarray(mlkemCiphertextBytes)));
  }

  wipe(): void {
    this.#keys = undefined;
  }
}

/** The other side, at once. @throws RangeError for a share that is not one (FIPS 203 section 7.2 included). */
export function answerOffer(share: Uint8Array): KeyAnswer {
  if (share.length !== offerBytes) throw new RangeError('share_c has the wrong length');
  const kem = encapsulateTo(share.subarray(0, mlkemPublicBytes));
  const x25519 = generateKeyPairSync('x25519');
  const agreed = agree(x25519.privateKey, share.subarray(mlkemPublicBytes));
  return { share: concat(kem.ciphertext, rawPublic(x25519.publicKey)), secret: both(kem.sharedKey, agreed) };
}

function encapsulateTo(key: Uint8Array): { sharedKey: Uint8Array; ciphertext: Uint8Array } {
  try {
    return encapsulate(createPublicKey({ key, format: 'raw-public', asymmetricKeyType: 'ml-kem-768' }));
  } catch (cause) {
    throw new RangeError('the encapsulation key fails its check', { cause });
  }
}

/** X25519. @throws RangeError for an all-zero result (RFC 7748 section 6.1), which OpenSSL refuses by itself. */
export function agree(own: KeyObject, raw: Uint8Array): Uint8Array {
  try {
    const peer = createPublicKey({ key: raw, format: 'raw-public', asymmetricKeyType: 'x25519' });
    return diffieHellman({ privateKey: own, publicKey: peer });
  } catch (cause) {
    throw new RangeError('the X25519 share is of low order', { cause });
  }
}

function both(kem: Uint8Array, x25519: Uint8Array): Uint8Array {
  const secret = concat(kem, x25519);
  wipe(kem, x25519);
  return secret;
}

function rawPublic(key: KeyObject): Uint8Array {
  return key.export({ format: 'raw-public' });
}
