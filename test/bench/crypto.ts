/**
 * `npm run bench -- crypto`: the Wasm kernels beside @noble, libsodium and the platform's own cryptography, copies into
 * the module's memory and out of it included. In Node the clock is the process's processor time, in Chromium the wall's.
 */
import { brotliCompressSync } from 'node:zlib';
import { builtWasm } from '../../wasm/build.ts';
import { browserFigures } from './crypto/browser.ts';
import { gatewayFigures } from './crypto/gateway.ts';
import { nodeFigures } from './crypto/node.ts';
import type { BenchOptions, Figure } from './figure.ts';

export async function* figures({ browser }: BenchOptions): AsyncIterable<Figure> {
  const wasm = await builtWasm();
  if (browser) {
    yield* await browserFigures(wasm);
  } else {
    yield* nodeFigures(wasm);
    yield* gatewayFigures();
  }
  yield { name: 'wasm.size_brotli_kb', value: brotliCompressSync(wasm).length / 1_000, unit: 'kB' };
}
