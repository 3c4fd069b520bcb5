/**
 * The tests' Crypto, on @noble: independent of both OpenSSL and our Wasm, and deterministic. Key exchanges use the given
 * secrets in order, then ones drawn from a seed; ML-DSA signs without randomness. So it can redo the known answers.
 * Not for production: its randomness is a hash of a seed.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { concat, utf8, wipe } from '../../protocol/bytes.ts';
import {
  compositeLabel,
  compositeMessage,
  joinComposite,
  splitPublicKey,
  splitSignature,
} from '../../protocol/composite.ts';
import type { Crypto, DatagramOpener, KeyAnswer, KeyOffer, Opener, Sealer, Signer } from '../../protocol/crypto.ts';
import { passesStrictRule } from '../../protocol/ed25519-strict.ts';
import {
  answerBytes,
  maxRecordsPerKey,
  mlkemCiphertextBytes,
  mlkemPublicBytes,
  offerBytes,
} from '../../protocol/limits.ts';

/** Secrets to use instead of drawn ones, each list in order of use. */
export interface NobleInputs {
  /** Printed by tests that fail, so that a run can be repeated. */
  seed?: string;
  random?: Uint8Array[];
  offers?: { x25519: Uint8Array; mlkemSeed: Uint8Array }[];
  answers?: { x25519: Uint8Array; mlkemM: Uint8Array }[];
}

export function nobleCrypto(inputs: NobleInputs = {}): Crypto {
  const seed = utf8(inputs.seed ?? 'latchkey tests');
  const [randoms, offers, answers] = [
    [...(inputs.random ?? [])],
    [...(inputs.offers ?? [])],
    [...(inputs.answers ?? [])],
  ];
  let drawn = 0;
  const draw = (length: number): Uint8Array => {
    const blocks: Uint8Array[] = [];
    for (let have = 0; have < length; have += 32) blocks.push(sha256(concat(seed, utf8(`|${drawn++}`))));
    return concat(...blocks).subarray(0, length);
  };
  return {
    random(length) {
      const given = randoms.shift() ?? draw(length);
      if (given.length !== length) throw new TypeError('the given randomness has another length than was asked for');
      return given;
    },
    sha256: (...parts) => sha256(concat(...parts)),
    hmac: (key, ...parts) => hmac(sha256, key, concat(...parts)),
    extract: (salt, ikm) => extract(sha256, ikm, salt),
    expand: (key, info, length) => expand(sha256, key, info, length),
    offer: () => nobleOffer(offers.shift() ?? { x25519: draw(32), mlkemSeed: draw(64) }),
    answer: (share) => nobleAnswer(share, answers.shift() ?? { x25519: draw(32), mlkemM: draw(32) }),
    sealer: (key) => new NobleRecordKey(key),
    opener: (key) => new NobleRecordKey(key),
    datagramOpener: nobleDatagramOpener,
    verify: async (publicKey, message, context, signature) => nobleVerify(publicKey, message, context, signature),
  };
}

function nobleOffer(secrets: { x25519: Uint8Array; mlkemSeed: Uint8Array }): KeyOffer {
  const mlkem = ml_kem768.keygen(secrets.mlkemSeed);
  let own: Uint8Array | undefined = secrets.x25519;
  return {
    share: concat(mlkem.publicKey, x25519.getPublicKey(own)),
    finish(answer) {
      if (own === undefined) throw new TypeError('this key offer was used or wiped');
      if (answer.length !== answerBytes) throw new RangeError('share_g has the wrong length');
      const ss = ml_kem768.decapsulate(answer.subarray(0, mlkemCiphertextBytes), mlkem.secretKey);
      const secret = concat(ss, agree(own, answer.subarray(mlkemCiphertextBytes)));
      this.wipe();
      return secret;
    },
    wipe() {
      wipe(mlkem.secretKey);
      own = undefined;
    },
  };
}

function nobleAnswer(share: Uint8Array, secrets: { x25519: Uint8Array; mlkemM: Uint8Array }): KeyAnswer {
  if (share.length !== offerBytes) throw new RangeError('share_c has the wrong length');
  const kem = encapsulate(share.subarray(0, mlkemPublicBytes), secrets.mlkemM);
  return {
    share: concat(kem.cipherText, x25519.getPublicKey(secrets.x25519)),
    secret: concat(kem.sharedSecret, agree(secrets.x25519, share.subarray(mlkemPublicBytes))),
  };
}

function encapsulate(key: Uint8Array, m: Uint8Array): { cipherText: Uint8Array; sharedSecret: Uint8Array } {
  try {
    return ml_kem768.encapsulate(key, m);
  } catch (cause) {
    throw new RangeError('the encapsulation key fails its check', { cause });
  }
}

/** @noble throws on an all-zero result; the protocol's own check must see it, so hand it on as zeros. */
function agree(own: Uint8Array, peer: Uint8Array): Uint8Array {
  try {
    return x25519.getSharedSecret(own, peer);
  } catch {
    return new Uint8Array(32);
  }
}

class NobleRecordKey implements Sealer, Opener {
  #key: Uint8Array | undefined;
  count = 0;

  constructor(key: Uint8Array) {
    if (key.length !== 32) throw new TypeError('a record key has 32 bytes');
    this.#key = concat(key);
  }

  #cipher(ad: Uint8Array) {
    if (this.#key === undefined) throw new RangeError('this key was wiped');
    if (this.count >= maxRecordsPerKey) throw new RangeError('this key is used up');
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setBigUint64(4, BigInt(this.count), true);
    return chacha20poly1305(this.#key, nonce, ad);
  }

  seal(ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const sealed = this.#cipher(ad).encrypt(plaintext);
    this.count++;
    return sealed;
  }

  frame(head: Uint8Array, ad: Uint8Array, plaintext: Uint8Array): Uint8Array<ArrayBuffer> {
    return concat(head, this.seal(ad, plaintext));
  }

  release(): void {}

  open(ad: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    const cipher = this.#cipher(ad);
    try {
      const plaintext = cipher.decrypt(sealed);
      this.count++;
      return plaintext;
    } catch {
      return null;
    }
  }

  wipe(): void {
    wipe(this.#key);
    this.#key = undefined;
  }
}

function nobleDatagramOpener(key: Uint8Array): DatagramOpener {
  const ours = concat(key);
  return {
    open(counter, ad, sealed) {
      const nonce = new Uint8Array(12);
      new DataView(nonce.buffer).setBigUint64(4, BigInt(counter), true);
      try {
        return chacha20poly1305(ours, nonce, ad).decrypt(sealed);
      } catch {
        return null;
      }
    },
    wipe: () => wipe(ours),
  };
}

/** Deterministic ML-DSA: the same seeds and message always make the same signature. */
export function nobleSigner(mldsaSeed: Uint8Array, ed25519Seed: Uint8Array): Signer {
  const mldsa = ml_dsa65.keygen(mldsaSeed);
  return {
    publicKey: joinComposite({ mldsa: mldsa.publicKey, ed25519: ed25519.getPublicKey(ed25519Seed) }),
    async sign(message, context) {
      const prime = compositeMessage(sha512(message), context);
      return joinComposite({
        mldsa: ml_dsa65.sign(prime, mldsa.secretKey, { context: compositeLabel, extraEntropy: false }),
        ed25519: ed25519.sign(prime, ed25519Seed),
      });
    },
  };
}

/** A signer from a short name, for tests that need several and care about none. */
export function namedSigner(name: string): Signer {
  return nobleSigner(sha256(utf8(`${name} ml-dsa`)), sha256(utf8(`${name} ed25519`)));
}

function nobleVerify(publicKey: Uint8Array, message: Uint8Array, context: string, signature: Uint8Array): boolean {
  const [key, parts] = [splitPublicKey(publicKey), splitSignature(signature)];
  if (key === undefined || parts === undefined) return false;
  const prime = compositeMessage(sha512(message), context);
  return (
    nobleVerifyEd25519(key.ed25519, prime, parts.ed25519) &&
    ml_dsa65.verify(parts.mldsa, prime, key.mldsa, { context: compositeLabel })
  );
}

/** The strict rule's byte half, then `[S]B = R + [k]A`: @noble's own verify multiplies by the cofactor, which is laxer. */
export function nobleVerifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (!passesStrictRule(publicKey, signature)) return false;
  const { Point } = ed25519;
  const scalar = (bytes: Uint8Array): bigint =>
    Point.Fn.create(bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n));
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32)];
  try {
    const [A, R] = [Point.fromBytes(publicKey), Point.fromBytes(r)];
    const k = scalar(sha512(concat(r, publicKey, message)));
    return Point.BASE.multiplyUnsafe(scalar(s)).equals(R.add(A.multiplyUnsafe(k)));
  } catch {
    return false; // not a point of the curve
  }
}
