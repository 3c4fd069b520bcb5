/** A dedicated module Worker with the Wasm as it is shipped, behind comlink: what the tests of wasm-worker.browser.ts call. */
import { expose } from 'comlink';
import { wasmCrypto } from '../../../wasm/crypto.ts';
import { loadKernel } from '../../../wasm/kernel.ts';
import { workerClock } from '../../../worker/tunnel/clock.ts';
import { compositeVerifier, makeSessionKey } from '../../../worker/tunnel/composite.ts';
import { comesBack, echo, twoEnds } from './two-ends.ts';

const wasm = new URL('../../../build/wasm/latchkey.wasm', import.meta.url);
const kernel = loadKernel(await WebAssembly.compileStreaming(fetch(wasm)));
const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
/** More than getRandomValues gives at once; what is echoed need not be random in every byte. */
const someBytes = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 131 + (i >> 8)) & 0xff);
const wasmBacked = wasmCrypto(kernel, { random, verify: compositeVerifier(kernel.mldsa) });

const api = {
  isWorker: () => 'WorkerGlobalScope' in globalThis && !('window' in globalThis),
  seal: (key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, text: Uint8Array) =>
    kernel.aeadSeal(key, nonce, ad, text).slice(),
  open: (key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, sealed: Uint8Array) =>
    kernel.aeadOpen(key, nonce, ad, sealed)?.slice() ?? null,
  x25519: (scalar: Uint8Array, point: Uint8Array) => kernel.x25519(scalar, point),
  mlkemPublicKey: (seed: Uint8Array) => kernel.mlkemKeys.make(seed).publicKey,
  mlkemEncapsulate: (key: Uint8Array, message: Uint8Array) => kernel.mlkemEncapsulate(key, message),
  mlkemDecapsulate: (seed: Uint8Array, ciphertext: Uint8Array) => kernel.mlkemKeys.make(seed).decapsulate(ciphertext),

  /** A handshake, echoes of the given sizes, a rekey, echoes again. */
  async session(sizes: readonly number[]) {
    const keys = [makeSessionKey(kernel.mldsa), makeSessionKey(kernel.mldsa), makeSessionKey(kernel.mldsa)] as const;
    const [session, gateway, issuer] = await Promise.all(keys);
    const sealedBefore = kernel.sealed();
    const ends = await twoEnds(wasmBacked, workerClock, { session, gateway, issuer }, (stream) => void echo(stream));
    const echoed: boolean[] = [];
    for (const size of sizes) echoed.push(await comesBack(ends.client, someBytes(size)));
    ends.client.requestRekey();
    while (ends.client.state.epoch < 1) echoed.push(await comesBack(ends.client, someBytes(16)));
    for (const size of sizes) echoed.push(await comesBack(ends.client, someBytes(size)));
    const epochs = { client: ends.client.state.epoch, gateway: ends.gateway.state.epoch };
    ends.client.close('done');
    const { code, byPeer } = await ends.gateway.closed;
    // The handshake's two answers of the gateway are sealed and are no records.
    const sealed = kernel.sealed() - sealedBefore - 2;
    return { echoed, epochs, end: { code, byPeer }, sealed, records: ends.sent.client + ends.sent.gateway };
  },
};
export type KernelApi = typeof api;

expose(api);
// Said once, when everything above has loaded: a test that speaks sooner would not be heard.
postMessage('ready');
