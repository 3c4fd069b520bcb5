/**
 * The same work done by the Wasm kernels, by @noble and by libsodium, in Node as in a browser. Keys are prepared as each
 * library wants to hold them; what comes from the peer comes as bytes. A sealed text is done when a
 * transport can take it: from the place it was sealed in, or from memory that the library has made for it.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import sodium from 'libsodium-wrappers';
import { instantiate } from '../../../wasm/exports.ts';
import type { Kernel } from '../../../wasm/kernel.ts';
import { type Contender, repeat } from '../interleaved.ts';

/** Additional data of a record: 17 bytes (docs/protocol.md, "Records"). */
export const ad = pattern(17, 3);
export const key = pattern(32, 1);
export const nonce = pattern(12, 2);
export const sealedSizes = [16_384, 1_024] as const;

/** Bytes that differ from one to the next; none of the ciphers cares which. */
export function pattern(length: number, seed: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 167 + seed * 89 + (i >> 8)) & 0xff);
}

export async function seals(kernel: Kernel, size: number): Promise<Record<'wasm' | 'noble' | 'libsodium', Contender>> {
  await sodium.ready;
  const text = pattern(size, 4);
  const held = kernel.hold('seal', key);
  const noHead = new Uint8Array(0);
  return {
    wasm: repeat(() => kernel.frames.release(kernel.sealFrame(held, noHead, ad, text))),
    noble: repeat(() => chacha20poly1305(key, nonce, ad).encrypt(text)),
    libsodium: repeat(() => sodium.crypto_aead_chacha20poly1305_ietf_encrypt(text, ad, null, nonce, key)),
  };
}

const mlkemSeed = pattern(64, 5);
const message = pattern(32, 6);
const mlkem = ml_kem768.keygen(mlkemSeed);
export const mlkemPublic = mlkem.publicKey;
export { mlkemSeed };
export const { cipherText: mlkemCiphertext } = ml_kem768.encapsulate(mlkemPublic, message);

export function encapsulations(kernel: Kernel): Record<'wasm' | 'noble', Contender> {
  return {
    wasm: repeat(() => kernel.mlkemEncapsulate(mlkemPublic, message)),
    noble: repeat(() => ml_kem768.encapsulate(mlkemPublic, message)),
  };
}

/**
 * Each has its key as it holds it: the module's was made with the offer, as the others' were when they took it in. There
 * a key is good for one decapsulation; here one key in place 1 serves all, and the wipe that would end it is done to
 * place 2, so that it is counted.
 */
export function decapsulations(module: WebAssembly.Module): Record<'wasm' | 'noble', Contender> {
  const { memory, KEM_SEED, KEM_CIPHERTEXT, KEM_SECRET, ...wasm } = instantiate(module);
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(mlkemSeed, KEM_SEED.value);
  wasm.mlkemGenerate(1);
  return {
    wasm: repeat(() => {
      bytes.set(mlkemCiphertext, KEM_CIPHERTEXT.value);
      wasm.mlkemDecapsulate(1);
      wasm.mlkemForget(2);
      return bytes.slice(KEM_SECRET.value, KEM_SECRET.value + 32);
    }),
    noble: repeat(() => ml_kem768.decapsulate(mlkemCiphertext, mlkem.secretKey)),
  };
}

export const mldsaSeed = pattern(32, 9);
export const signedText = pattern(200, 10);
const mldsa = ml_dsa65.keygen(mldsaSeed);
export const mldsaPublic = mldsa.publicKey;
const zeros = new Uint8Array(32);
const context = new Uint8Array(0);
/** The deterministic variant, so that all try as often. */
export const mldsaSignature = ml_dsa65.sign(signedText, mldsa.secretKey, { extraEntropy: false });

/** The module holds a key as its seed, @noble as what is made of it. */
export function signatures({ mldsa: wasm }: Kernel): Record<'wasm' | 'noble', Contender> {
  return {
    wasm: repeat(() => wasm.sign(mldsaSeed, signedText, context, zeros)),
    noble: repeat(() => ml_dsa65.sign(signedText, mldsa.secretKey, { extraEntropy: false })),
  };
}

export function verifications({ mldsa: wasm }: Kernel): Record<'wasm' | 'noble', Contender> {
  return {
    wasm: repeat(() => wasm.verify(mldsaPublic, signedText, context, mldsaSignature)),
    noble: repeat(() => ml_dsa65.verify(mldsaSignature, signedText, mldsaPublic)),
  };
}

export const scalar = pattern(32, 7);
export const point = x25519.getPublicKey(pattern(32, 8));

export function agreements(kernel: Kernel): Record<'wasm' | 'noble', Contender> {
  return {
    wasm: repeat(() => kernel.x25519(scalar, point)),
    noble: repeat(() => x25519.scalarMult(scalar, point)),
  };
}
