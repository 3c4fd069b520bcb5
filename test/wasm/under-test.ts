/**
 * The module under test: the shipped bytes, built if need be, with both its faces: the Kernel the product uses, and the
 * raw exports, for what the product cannot even ask for (an expanded ML-KEM key, the bytes of the memory).
 */
import { builtWasm } from '../../wasm/build.ts';
import { instantiate, type KernelExports } from '../../wasm/exports.ts';
import { Kernel } from '../../wasm/kernel.ts';

export const wasmBytes = await builtWasm();
export const wasmModule = new WebAssembly.Module(wasmBytes);

export interface UnderTest {
  readonly kernel: Kernel;
  readonly raw: KernelExports;
  /** The whole memory, as it is now and will be. */
  readonly memory: Uint8Array;
}

export function freshKernel(): UnderTest {
  const raw = instantiate(wasmModule);
  return { kernel: new Kernel(raw), raw, memory: new Uint8Array(raw.memory.buffer) };
}

/** The encapsulation key of a seed `d | z`. */
export function publicKeyOf(kernel: Kernel, seed: Uint8Array): Uint8Array {
  const key = kernel.mlkemKeys.make(seed);
  key.wipe();
  return key.publicKey;
}

/** One decapsulation with a key made for it. */
export function decapsulateFrom(kernel: Kernel, seed: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  return kernel.mlkemKeys.make(seed).decapsulate(ciphertext);
}

/** `d | z` to both keys, the expanded one as FIPS 203 has it: only tests ever see that. */
export function rawGenerate({ raw, memory }: UnderTest, seed: Uint8Array): { ek: Uint8Array; dk: Uint8Array } {
  memory.set(seed, raw.KEM_SEED.value);
  raw.mlkemGenerate(0);
  raw.mlkemExport(0);
  raw.mlkemForget(0);
  return {
    ek: memory.slice(raw.KEM_EK.value, raw.KEM_EK.value + 1184),
    dk: memory.slice(raw.KEM_DK.value, raw.KEM_DK.value + 2400),
  };
}

/** Decapsulation with a published expanded key. @returns null when the module refuses the key. */
export function rawDecapsulate({ raw, memory }: UnderTest, dk: Uint8Array, ciphertext: Uint8Array): Uint8Array | null {
  memory.set(dk, raw.KEM_DK.value);
  if (raw.mlkemImport(0) === 0) return null;
  memory.set(ciphertext, raw.KEM_CIPHERTEXT.value);
  raw.mlkemDecapsulate(0);
  raw.mlkemForget(0);
  return memory.slice(raw.KEM_SECRET.value, raw.KEM_SECRET.value + 32);
}
