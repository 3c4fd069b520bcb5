/**
 * The tunnel's Worker: loads the Wasm and exposes one frozen object. Keys and plaintext live in this realm and nowhere
 * else in the browser; what runs in a window cannot reach them.
 */
import { expose, transferHandlers } from 'comlink';
import wasm from '../build/wasm/latchkey.wasm?url';
import { wasmCrypto } from '../wasm/crypto.ts';
import { loadKernel } from '../wasm/kernel.ts';
import { faultHandler, type TunnelApi, type TunnelStatus } from './api.ts';
import { verifyComposite } from './tunnel/composite.ts';
import { Tunnel } from './tunnel/tunnel.ts';

const watchers = new Set<(status: TunnelStatus) => void>();
let status: TunnelStatus = { state: 'connecting', epoch: 0 };

const loaded = load();
loaded.catch(() => announce({ state: 'refused', epoch: 0, reason: 'wasm' }));

async function load(): Promise<Tunnel> {
  const kernel = loadKernel(await WebAssembly.compileStreaming(fetch(wasm)));
  const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
  return new Tunnel({
    crypto: wasmCrypto(kernel, { random, verify: verifyComposite }),
    sealed: () => kernel.sealed(),
    onStatus: announce,
  });
}

function announce(next: TunnelStatus): void {
  status = next;
  for (const watcher of watchers) watcher(next);
}

const api: TunnelApi = Object.freeze({
  launch: async (service: string, hub: MessagePort) => (await loaded).launch(service, hub),
  serve: (port: MessagePort) => void loaded.then((tunnel) => tunnel.serve(port)),
  watch: (callback: (status: TunnelStatus) => void) => {
    watchers.add(callback);
    callback(status);
  },
  counts: async () => (await loaded).counts(),
  end: () => void loaded.then((tunnel) => tunnel.end()),
});

transferHandlers.set('throw', faultHandler as never);
expose(api);
