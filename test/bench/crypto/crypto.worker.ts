/** The figures of a browser, measured and posted by a dedicated Worker. A second kind of it (`#cold`) lives for one cold start. */
import { loadKernel } from '../../../wasm/kernel.ts';
import type { Figure } from '../figure.ts';
import { type Contender, interleaved, over } from '../interleaved.ts';
import { coldStart } from './cold.ts';
import * as contenders from './contenders.ts';

const now = () => performance.now();
/** A page has no clock of the processor: of so many cold starts the least is the one that others disturbed least. */
const coldStarts = 31;

if (location.hash === '#cold') {
  postMessage(coldStart(await wasmBytes()));
} else {
  postMessage(await figures().catch((cause: unknown) => ({ error: String(cause) })));
}

async function wasmBytes(): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await fetch('/latchkey.wasm')).arrayBuffer());
}

async function figures(): Promise<Figure[]> {
  const cold: number[] = [];
  for (let i = 0; i < coldStarts; i++) cold.push(await inFreshWorker());
  const found: Figure[] = [{ name: 'handshake.cold_client_ms', value: Math.min(...cold), unit: 'ms' }];

  const module = await WebAssembly.compileStreaming(fetch('/latchkey.wasm'));
  const kernel = loadKernel(module);
  for (const size of contenders.sealedSizes) {
    const rivals = { ...(await contenders.seals(kernel, size)), webcrypto_aesgcm: await aesGcm(size) };
    const times = await interleaved(rivals, now);
    for (const other of ['noble', 'libsodium', 'webcrypto_aesgcm'] as const)
      found.push({ name: `aead.seal.${size}.wasm_over_${other}`, value: over(times, 'wasm', other), unit: 'x' });
  }
  const exchanges = {
    'mlkem.encaps': contenders.encapsulations(kernel),
    'mlkem.decaps': contenders.decapsulations(module),
    x25519: contenders.agreements(kernel),
    'mldsa.sign': contenders.signatures(kernel),
    'mldsa.verify': contenders.verifications(kernel),
  };
  for (const [work, rivals] of Object.entries(exchanges)) {
    const value = over(await interleaved(rivals, now), 'wasm', 'noble');
    found.push({ name: `${work}.wasm_over_noble`, value, unit: 'x' });
  }
  return found;
}

/** What the browser brings itself. All texts of a batch are under way at once, which is the fastest way to ask. */
async function aesGcm(size: number): Promise<Contender> {
  const key = await crypto.subtle.importKey('raw', contenders.key, 'AES-GCM', false, ['encrypt']);
  const text = contenders.pattern(size, 4);
  const algorithm = { name: 'AES-GCM', iv: contenders.nonce, additionalData: contenders.ad };
  return async (times) => {
    await Promise.all(Array.from({ length: times }, () => crypto.subtle.encrypt(algorithm, key, text)));
  };
}

function inFreshWorker(): Promise<number> {
  const worker = new Worker(`${location.pathname}#cold`, { type: 'module' });
  return new Promise<number>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = () => reject(new Error('the cold Worker failed'));
  }).finally(() => worker.terminate());
}
