/**
 * What a tab pays before its first record: compile the module, make an instance, make an offer and finish it. The peer's
 * answer is made by @noble between the two and is not counted. Fetching is not counted either: that is the network's.
 */

import { wasmCrypto } from '../../../wasm/crypto.ts';
import { loadKernel } from '../../../wasm/kernel.ts';
import { nobleCrypto } from '../../support/noble-crypto.ts';

/** @returns milliseconds. */
export function coldStart(wasm: Uint8Array<ArrayBuffer>): number {
  const peer = nobleCrypto();
  const surroundings = {
    random: (length: number) => crypto.getRandomValues(new Uint8Array(length)),
    verify: peer.verify,
  };
  const bytes = unseen(wasm);
  const began = performance.now();
  const offer = wasmCrypto(loadKernel(new WebAssembly.Module(bytes)), surroundings).offer();
  const offered = performance.now();
  const { share } = peer.answer(offer.share);
  const answered = performance.now();
  offer.finish(share);
  return offered - began + (performance.now() - answered);
}

/** The same module with a random custom section at its end: engines keep what they compiled, and find it by its bytes. */
function unseen(wasm: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const nameBytes = 1;
  const random = crypto.getRandomValues(new Uint8Array(16));
  const header = [0, 1 + nameBytes + random.length, nameBytes, 0x78];
  const bytes = new Uint8Array(wasm.length + header.length + random.length);
  bytes.set(wasm);
  bytes.set(header, wasm.length);
  bytes.set(random, wasm.length + header.length);
  return bytes;
}
