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
    const { DSA_PUBLIC } = this.#wasm;
    this.#putSecret('seed', seed, this.#wasm.DSA_SEED.value);
    this.#wasm.mldsaGenerate();
    return this.#bytes.slice(DSA_PUBLIC.value, DSA_PUBLIC.value + mldsaPublicBytes);
  }

  /**
   * @param random 32 bytes: fresh ones sign in the hedged variant, zeros in the deterministic one.
   * @param context at most 255 bytes. @returns 3309 bytes. @throws RangeError for more than some 16 KB of message.
   */
  sign(seed: Uint8Array, message: Uint8Array, context: Uint8Array, random: Uint8Array): Uint8Array<ArrayBuffer> {
    const { DSA_SIGNATURE, DSA_SEED, DSA_RANDOM } = this.#wasm;
    const length = this.#putMessage(message, context);
    this.#putSecret('seed', seed, DSA_SEED.value);
    this.#putSecret('randomness', random, DSA_RANDOM.value);
    this.#wasm.mldsaSign(length);
    this.#forgetMessage(length);
    return this.#bytes.slice(DSA_SIGNATURE.value, DSA_SIGNATURE.value + mldsaSignatureBytes);
  }

  /** False for whatever is no signature, lengths included; never throws on hostile input but for a message beyond 16 KB. */
  verify(publicKey: Uint8Array, message: Uint8Array, context: Uint8Array, signature: Uint8Array): boolean {
    if (publicKey.length !== mldsaPublicBytes || signature.length !== mldsaSignatureBytes) return false;
    const length = this.#putMessage(message, context);
    this.#bytes.set(publicKey, this.#wasm.DSA_PUBLIC.value);
    this.#bytes.set(signature, this.#wasm.DSA_SIGNATURE.value);
    const genuine = this.#wasm.mldsaVerify(length) === 1;
    this.#forgetMessage(length);
    return genuine;
  }

  #putSecret(name: string, secret: Uint8Array, at: number): void {
    assertLength(name, secret, seedBytes);
    this.#bytes.set(secret, at);
  }

  /** M' = 0 | u8 length, context | message. @returns its length. */
  #putMessage(message: Uint8Array, context: Uint8Array): number {
    const { CHUNK, CHUNK_MAX } = this.#wasm;
    const length = 2 + context.length + message.length;
    if (context.length > 255) throw new RangeError('an ML-DSA context has at most 255 bytes');
    if (length > CHUNK_MAX.value)
      throw new RangeError(`message and context have more than ${CHUNK_MAX.value - 2} bytes`);
    this.#bytes.set([0, context.length], CHUNK.value);
    this.#bytes.set(context, CHUNK.value + 2);
    this.#bytes.set(message, CHUNK.value + 2 + context.length);
    return length;
  }

  #forgetMessage(length: number): void {
    this.#bytes.fill(0, this.#wasm.CHUNK.value, this.#wasm.CHUNK.value + length);
  }
}
