/**
 * ML-DSA-65 (FIPS 204 algorithms 1 to 3) on the Wasm module: beside kernel.ts the one file that knows a pointer, to the
 * doors of its own operations alone. A signing key is its seed, which the module expands for one signature and forgets.
 *
 * Randomness comes from the caller. Not for the pre-hashed mode.
 */
import { assertLength } from '../protocol/bytes.ts';
import { mldsaPublicBytes, mldsaSignatureBytes } from '../protocol/limits.ts';
import type { KernelExports } from './exports.ts';

/** xi, and rnd. */
const seedBytes = 32;

export class Mldsa {
  readonly #wasm: KernelExports;
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor(wasm: KernelExports, bytes: Uint8Array<ArrayBuffer>) {
    this.#wasm = wasm;
    this.#bytes = bytes;
  }

  /** The public key, 1952 bytes, of a seed of 32. */
  publicKey(seed: Uint8Array): Uint8Array<ArrayBuffer> {
    const { DSA_PUBLIC, DSA_SEED } = this.#wasm;
    assertLength('seed', seed, seedBytes);
    this.#bytes.set(seed, DSA_SEED.value);
    this.#wasm.mldsaGenerate();
    return this.#bytes.slice(DSA_PUBLIC.value, DSA_PUBLIC.value + mldsaPublicBytes);
  }

  /**
   * @param random 32 bytes: fresh ones sign in the hedged variant, zeros in the deterministic one.
   * @param context at most 255 bytes. @returns 3309 bytes. @throws RangeError for more than some 16 KB of message.
   */
  sign(seed: Uint8Array, message: Uint8Array, context: Uint8Array, random: Uint8Array): Uint8Array<ArrayBuffer> {
    const { DSA_SIGNATURE, DSA_SEED, DSA_RANDOM } = this.#wasm;
    // Nothing is handed over before all of it may be.
    assertLength('seed', seed, seedBytes);
    assertLength('randomness', random, seedBytes);
    if (!this.#fits(message, context)) throw new RangeError('message or context is too long for the module');
    const length = this.#putMessage(message, context);
    this.#bytes.set(seed, DSA_SEED.value);
    this.#bytes.set(random, DSA_RANDOM.value);
    this.#wasm.mldsaSign(length);
    this.#forgetMessage(length);
    return this.#bytes.slice(DSA_SIGNATURE.value, DSA_SIGNATURE.value + mldsaSignatureBytes);
  }

  /** False for whatever is no signature, lengths included, and for what is longer than sign() takes. Never throws. */
  verify(publicKey: Uint8Array, message: Uint8Array, context: Uint8Array, signature: Uint8Array): boolean {
    if (publicKey.length !== mldsaPublicBytes || signature.length !== mldsaSignatureBytes) return false;
    if (!this.#fits(message, context)) return false;
    const length = this.#putMessage(message, context);
    this.#bytes.set(publicKey, this.#wasm.DSA_PUBLIC.value);
    this.#bytes.set(signature, this.#wasm.DSA_SIGNATURE.value);
    const genuine = this.#wasm.mldsaVerify(length) === 1;
    this.#forgetMessage(length);
    return genuine;
  }

  #fits(message: Uint8Array, context: Uint8Array): boolean {
    return context.length <= 255 && 2 + context.length + message.length <= this.#wasm.CHUNK_MAX.value;
  }

  /** M' = 0 | u8 length, context | message. @returns its length. */
  #putMessage(message: Uint8Array, context: Uint8Array): number {
    const { CHUNK } = this.#wasm;
    this.#bytes.set([0, context.length], CHUNK.value);
    this.#bytes.set(context, CHUNK.value + 2);
    this.#bytes.set(message, CHUNK.value + 2 + context.length);
    return 2 + context.length + message.length;
  }

  #forgetMessage(length: number): void {
    this.#bytes.fill(0, this.#wasm.CHUNK.value, this.#wasm.CHUNK.value + length);
  }
}
