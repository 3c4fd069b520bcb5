/** A Worker behind worker/exposed.ts, with a key it keeps to itself: what exposed.browser.ts tries to get at. */
import { transferHandlers } from 'comlink';
import { loadKernel } from '../../../wasm/kernel.ts';
import { faultHandler, TunnelFault } from '../../../worker/api.ts';
import { exposeMembers } from '../../../worker/exposed.ts';
import { makeSessionKey } from '../../../worker/tunnel/composite.ts';

const wasm = new URL('../../../build/wasm/latchkey.wasm', import.meta.url);
const key = await makeSessionKey(loadKernel(await WebAssembly.compileStreaming(fetch(wasm))).mldsa);

const api = Object.freeze({
  refuse: (code: string) => {
    throw new TunnelFault(code, 'A policy says no.', 'c0ffee');
  },
  refuseLater: async (code: string) => {
    throw new TunnelFault(code, 'A policy says no.');
  },
  stumble: () => {
    throw new RangeError('the secret is 42');
  },
  publicKey: () => key.publicKey,
  leakKey: () => key,
  /** Names that somebody planted on the prototypes that everything inherits from. */
  planted: () => {
    const prototypes = [Object.prototype, Function.prototype, Promise.prototype, Uint8Array.prototype];
    return prototypes.flatMap((prototype) =>
      Object.getOwnPropertyNames(prototype).filter((name) => /^planted/.test(name)),
    );
  },
  isFrozen: () => Object.isFrozen(api),
});
export type ExposedApi = typeof api;

transferHandlers.set('throw', faultHandler as never);
exposeMembers(api, self as never);
postMessage('ready');
