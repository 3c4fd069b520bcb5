/**
 * The tunnel's Worker: loads the Wasm and exposes one frozen object. Keys and plaintext live in this realm and nowhere
 * else in the browser; what runs in a window cannot reach them.
 */
import { transferHandlers } from 'comlink';
import wasmUrl from '../build/wasm/latchkey.wasm?url';
import { wasmCrypto } from '../wasm/crypto.ts';
import { loadKernel } from '../wasm/kernel.ts';
import {
  faultHandler,
  type PasswordStage,
  type StepUpStage,
  type Transfers,
  type TunnelApi,
  TunnelFault,
  type TunnelStatus,
} from './api.ts';
import type { PortNote } from './app-messages.ts';
import { exposeMembers } from './exposed.ts';
import { siblingOrigin } from './origins.ts';
import { compositeVerifier, makeSessionKey } from './tunnel/composite.ts';
import { Tunnel } from './tunnel/tunnel.ts';

const watchers = new Set<(status: TunnelStatus) => unknown>();
const stepUpWatchers = new Set<(stage: StepUpStage | undefined) => unknown>();
const passwordWatchers = new Set<(stage: PasswordStage | undefined) => unknown>();
const transferWatchers = new Set<(transfers: Transfers) => unknown>();
let status: TunnelStatus = { state: 'connecting', epoch: 0 };

// Within the promise: where WebAssembly is switched off there is not even the name.
const kernel = (async () => loadKernel(await WebAssembly.compileStreaming(fetch(wasmUrl))))();
const key = kernel.then(({ mldsa }) => makeSessionKey(mldsa));
key.catch(() => undefined); // the launch says it
const loaded = load();
loaded.catch(() => announce({ state: 'refused', epoch: 0, reason: 'wasm' }));

async function load(): Promise<Tunnel> {
  const wasm = await kernel;
  const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
  return new Tunnel({
    key,
    crypto: wasmCrypto(wasm, { random, verify: compositeVerifier(wasm.mldsa) }),
    sealed: () => wasm.sealed(),
    forget: () => wasm.wipe(),
    onStatus: announce,
    onStepUp: (stage) => {
      for (const watcher of stepUpWatchers) void watcher(stage);
    },
    onPassword: (stage) => {
      for (const watcher of passwordWatchers) void watcher(stage);
    },
    onTransfers: (transfers) => {
      for (const watcher of transferWatchers) void watcher(transfers);
    },
    appOrigin: (service) => siblingOrigin(self.location, service),
  });
}

async function tunnel(): Promise<Tunnel> {
  return loaded.catch((cause: unknown) => {
    const message =
      'This browser does not run the tunnel: WebAssembly is switched off or too old. Use another browser.';
    throw new TunnelFault('wasm', message, undefined, { cause });
  });
}

function announce(next: TunnelStatus): void {
  status = next;
  for (const watcher of watchers) void watcher(next);
}

// Arguments are what a page says, so each member looks at its own.
const api: TunnelApi = Object.freeze({
  launch: async (service: string, hub: MessagePort) => {
    if (typeof service !== 'string' || !(hub instanceof MessagePort)) throw new TypeError('launch(service, port)');
    return (await tunnel()).launch(service, hub);
  },
  serve: async (port: MessagePort, { kind, lock }: PortNote) => {
    const isLock = lock === undefined || typeof lock === 'string';
    if (!(port instanceof MessagePort) || !isLock) throw new TypeError('serve(port, note)');
    (await tunnel()).serve(port, { kind, lock });
  },
  workerGone: async (lock: string) => {
    if (typeof lock !== 'string') throw new TypeError('workerGone(lock)');
    (await tunnel()).workerGone(lock);
  },
  watch: (callback: (status: TunnelStatus) => void) => {
    if (typeof callback !== 'function') throw new TypeError('watch(callback)');
    watchers.add(callback);
    callback(status);
  },
  watchStepUp: (callback: (stage: StepUpStage | undefined) => void) => {
    if (typeof callback !== 'function') throw new TypeError('watchStepUp(callback)');
    stepUpWatchers.add(callback);
  },
  watchTransfers: (callback: (transfers: Transfers) => void) => {
    if (typeof callback !== 'function') throw new TypeError('watchTransfers(callback)');
    transferWatchers.add(callback);
  },
  reconnect: async () => (await tunnel()).reconnect(),
  stepUp: async (hub: MessagePort) => {
    if (!(hub instanceof MessagePort)) throw new TypeError('stepUp(port)');
    (await tunnel()).touchOver(hub);
  },
  declineStepUp: async () => (await tunnel()).declineTouch(),
  watchPassword: (callback: (stage: PasswordStage | undefined) => void) => {
    if (typeof callback !== 'function') throw new TypeError('watchPassword(callback)');
    passwordWatchers.add(callback);
  },
  password: async (user: string, password: string) => {
    if (typeof user !== 'string' || typeof password !== 'string') throw new TypeError('password(user, password)');
    (await tunnel()).passwords.answer(user, password);
  },
  declinePassword: async () => (await tunnel()).passwords.decline(),
  counts: async () => (await tunnel()).counts(),
  end: async () => (await tunnel()).end(),
});

transferHandlers.set('throw', faultHandler as never);
// The types know a Worker's global scope as an endpoint only under the name of the DOM's Worker.
exposeMembers(api, self as never);
