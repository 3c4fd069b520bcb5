/**
 * What the compiled module offers (assembly/index.ts), as TypeScript sees it. Addresses are exported globals, so the
 * layout is written down once, in assembly/memory.ts. Not for anybody but kernel.ts.
 */

/** An exported constant. */
type Constant = { readonly value: number };

export interface KernelExports {
  readonly memory: WebAssembly.Memory;
  readonly wipe: () => void;

  readonly slotFill: (slot: number, kind: number) => void;
  readonly slotWipe: (slot: number) => void;
  /** 1 done, -1 refused. */
  readonly slotSeal: (slot: number, text: number, adLength: number, length: number) => number;
  /** 1 done, 0 forged, -1 refused. */
  readonly slotOpen: (slot: number, adLength: number, length: number) => number;
  readonly aeadSeal: (adLength: number, length: number) => void;
  readonly aeadOpen: (adLength: number, length: number) => number;
  readonly sealedCount: () => number;

  readonly hashBegin: () => void;
  readonly hashUpdate: (length: number) => void;
  readonly hashFinish: () => void;
  readonly hmacBegin: (keyLength: number) => void;
  readonly hmacFinish: () => void;
  readonly hkdfExpand: (keyLength: number, infoLength: number, length: number) => void;

  readonly x25519: () => void;
  readonly mlkemGenerate: (key: number) => void;
  readonly mlkemForget: (key: number) => void;
  readonly mlkemEncapsulate: () => number;
  readonly mlkemDecapsulate: (key: number) => void;
  /** For the published vectors alone, as is KEM_DK. */
  readonly mlkemExport: (key: number) => void;
  readonly mlkemImport: (key: number) => number;

  readonly mldsaGenerate: () => void;
  readonly mldsaSign: (length: number) => void;
  readonly mldsaVerify: (length: number) => number;

  readonly SEALS: Constant;
  readonly OPENS: Constant;
  readonly TEXT_MAX: Constant;
  readonly AD_MAX: Constant;
  readonly CHUNK_MAX: Constant;
  readonly OKM_MAX: Constant;
  readonly SLOT_COUNT: Constant;
  readonly SLOT_SIZE: Constant;
  readonly SLOTS: Constant;
  readonly FRAMES: Constant;
  readonly FRAME_COUNT: Constant;
  readonly FRAME_HEAD: Constant;
  readonly FRAME_SIZE: Constant;
  readonly FRAME_TEXT_MAX: Constant;
  readonly SEAL_TEXT: Constant;
  readonly OPEN_TEXT: Constant;
  readonly AD: Constant;
  readonly KEY: Constant;
  readonly NONCE: Constant;
  readonly CHUNK: Constant;
  readonly DIGEST: Constant;
  readonly OKM: Constant;
  readonly SCALAR: Constant;
  readonly POINT: Constant;
  readonly SHARED: Constant;
  readonly DSA_SEED: Constant;
  readonly DSA_RANDOM: Constant;
  readonly DSA_PUBLIC: Constant;
  readonly DSA_SIGNATURE: Constant;
  readonly KEM_SEED: Constant;
  readonly KEM_MESSAGE: Constant;
  readonly KEM_SECRET: Constant;
  readonly KEM_CIPHERTEXT: Constant;
  readonly KEM_EK: Constant;
  readonly KEM_KEY_COUNT: Constant;
  readonly KEM_DK: Constant;
}

/**
 * Instantiates at once: browsers allow that in a Worker at any size, and on a page below 8 MB. The constants are read
 * here, once: an exported global is asked of the engine each time, which a short record feels.
 * @throws TypeError for a module that wants imports: ours wants none.
 */
export function instantiate(module: WebAssembly.Module): KernelExports {
  const exported = Object.entries(new WebAssembly.Instance(module, {}).exports);
  const fixed = exported.map(([name, one]) => [name, one instanceof WebAssembly.Global ? { value: one.value } : one]);
  // The compiler's types cannot know what a module exports; test/wasm/module.test.ts compares this list with the binary.
  return Object.fromEntries(fixed) as unknown as KernelExports;
}
