/**
 * What script does that was injected into one of our windows, or that an app's own pages run: looks for keys wherever
 * a page can look, and talks to whatever listens.
 */
import type { BrowserContext, Frame, Page } from 'playwright-core';

const patienceMs = 20_000;

/** In place of a test that hangs when nobody answers. */
function patient<T>(work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('nobody answered')), patienceMs);
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Where a window keeps things, as its own script finds them. */
export interface Belongings {
  /** Names on `window` that a bare page of this browser does not have. */
  readonly globals: readonly string[];
  readonly databases: readonly string[];
  readonly storage: readonly string[];
  readonly caches: readonly string[];
}

export async function belongingsOf(realm: Page | Frame, usual: readonly string[]): Promise<Belongings> {
  return realm.evaluate(async (known) => {
    const databases = (await indexedDB.databases()).map(({ name = '' }) => name);
    return {
      globals: Object.getOwnPropertyNames(window).filter((name) => !known.includes(name) && !/^\d+$/.test(name)),
      databases,
      storage: [...Object.keys(localStorage), ...Object.keys(sessionStorage)],
      caches: await caches.keys(),
    };
  }, usual);
}

/** The names a window has before any script ran. @param address of a page without script, in a secure context. */
export async function usualGlobals(context: BrowserContext, address: string): Promise<string[]> {
  const page = await context.newPage();
  try {
    await page.goto(address);
    return await page.evaluate(() => Object.getOwnPropertyNames(window));
  } finally {
    await page.close();
  }
}

/** How each attempt to take the hub's keys out of the browser ends: `taken`, or the error's name. */
export function takeDeviceKeys(hub: Page): Promise<Record<string, string>> {
  return hub.evaluate(async () => {
    const opening = indexedDB.open('latchkey');
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => reject(opening.error);
    });
    const reading = database.transaction('device').objectStore('device').get('this');
    const device = await new Promise<{ signing: CryptoKeyPair; jarRoot: CryptoKey }>((resolve) => {
      reading.onsuccess = () => resolve(reading.result);
    });
    database.close();
    const wrapping = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['wrapKey']);
    const how = { name: 'AES-GCM', iv: new Uint8Array(12) };
    const outcomes: Record<string, string> = {};
    const attempt = async (name: string, run: () => Promise<unknown>) => {
      outcomes[name] = await run().then(
        () => 'taken',
        (error) => error.name,
      );
    };
    const { privateKey, publicKey } = device.signing;
    for (const format of ['pkcs8', 'jwk'] as const) {
      await attempt(`signing as ${format}`, () => crypto.subtle.exportKey(format, privateKey));
      await attempt(`signing wrapped as ${format}`, () => crypto.subtle.wrapKey(format, privateKey, wrapping, how));
    }
    for (const format of ['raw', 'jwk'] as const)
      await attempt(`jar root as ${format}`, () => crypto.subtle.exportKey(format, device.jarRoot));
    await attempt('public key', () => crypto.subtle.exportKey('raw', publicKey));
    await attempt('a signature while here', () => crypto.subtle.sign('Ed25519', privateKey, new Uint8Array(32)));
    return outcomes;
  });
}

declare global {
  interface Window {
    caughtWorker?: Worker;
  }
}

/** Catches the Worker of a shell by hooking what everything is sent with, and keeps it for what follows. */
export function catchWorker(shell: Page): Promise<void> {
  return shell.evaluate(async () => {
    const usual = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (this: Worker, ...rest: unknown[]) {
      window.caughtWorker = this;
      return Reflect.apply(usual, this, rest);
    };
    await (document.querySelector('lk-shell') as unknown as { counts(): Promise<unknown> }).counts();
    Worker.prototype.postMessage = usual;
  });
}

/** A reply of the tunnel's Worker to a hand-made message, in the words of comlink's wire. */
export interface Reply {
  readonly asked: string;
  readonly answer: unknown;
}

/** Writes hand-made messages to the caught Worker: walks from the api's members to keys, constructors, prototypes. */
export function forgeWorkerMessages(shell: Page): Promise<{ forged: Reply[]; honest: unknown }> {
  return patient(
    shell.evaluate(async () => {
      const caught = window.caughtWorker;
      if (caught === undefined) throw new Error('the Worker was not caught');

      const raw = (value: unknown) => ({ type: 'RAW', value });
      const walks = [
        [],
        ['key'],
        ['keeper'],
        ['constructor'],
        ['__proto__'],
        ['launch', 'constructor'],
        ['counts', 'name'],
      ];
      const messages = [
        ...walks.map((path) => ({ type: 'GET', path })),
        { type: 'SET', path: ['constructor', 'prototype', 'key'], value: raw('trap') },
        { type: 'SET', path: ['counts'], value: raw('replaced') },
        { type: 'APPLY', path: ['constructor', 'getOwnPropertyNames'], argumentList: [raw({})] },
        { type: 'APPLY', path: ['launch', 'constructor'], argumentList: [raw('return self')] },
        { type: 'APPLY', path: ['counts', 'toString'], argumentList: [] },
        { type: 'APPLY', path: ['toString'], argumentList: [] },
        { type: 'CONSTRUCT', path: ['counts', 'constructor'], argumentList: [raw('return self')] },
        { type: 'CONSTRUCT', path: ['constructor'], argumentList: [] },
        { type: 'ENDPOINT', path: [] },
      ];
      const replies: Reply[] = [];
      const asked = new Map(messages.map((message, index) => [`forged-${index}`, message]));
      const heard = Promise.withResolvers<unknown>();
      caught.addEventListener('message', ({ data }) => {
        const message = asked.get(data?.id);
        if (message !== undefined) replies.push({ asked: JSON.stringify(message), answer: data });
        if (data?.id === 'honest') heard.resolve(data.value);
      });
      for (const [id, message] of asked) caught.postMessage({ id, ...message });
      // The Worker answers in order, so by the answer to this one it has answered those before, or never will.
      caught.postMessage({ id: 'honest', type: 'APPLY', path: ['counts'], argumentList: [] });
      const honest = await heard.promise;
      return { forged: replies.map(({ asked: what, answer }) => ({ asked: what, answer: String(answer) })), honest };
    }),
  );
}

/** Asks the caught Worker for another launch, with a hub of the intruder's own. */
export function launchWithOwnHub(shell: Page, service: string): Promise<{ code: string; told: unknown[] }> {
  return patient(
    shell.evaluate(async (name) => {
      const caught = window.caughtWorker;
      if (caught === undefined) throw new Error('the Worker was not caught');

      const { port1: hub, port2 } = new MessageChannel();
      const told: unknown[] = [];
      hub.onmessage = ({ data }) => told.push(data);
      const answered = new Promise<{ value?: { value?: { code?: string } } }>((resolve) => {
        caught.addEventListener('message', ({ data }) => {
          if (data?.id === 'second launch') resolve(data);
        });
      });
      const argumentList = [
        { type: 'RAW', value: name },
        { type: 'RAW', value: port2 },
      ];
      caught.postMessage({ id: 'second launch', type: 'APPLY', path: ['launch'], argumentList }, [port2]);
      const answer = await answered;
      return { code: answer.value?.value?.code ?? 'launched again', told };
    }, service),
  );
}

/** What came of asking on a port. */
export interface PortAnswer {
  readonly status: number;
  readonly body: string;
  readonly error: string;
}

/**
 * Asks the Worker itself, over a port that script of the app's origin gets when it runs in the helper frame, in the
 * service worker's words and for more than the service worker ever would.
 */
export function askWorkerFromHelper(helper: Frame, other: string): Promise<Record<string, PortAnswer>> {
  return patient(
    helper.evaluate(async (service) => {
      const [, ...domain] = location.host.split('.');
      const elsewhere = [service, ...domain].join('.');
      const { port1: port, port2 } = new MessageChannel();
      const ready = new Promise((resolve) => port.addEventListener('message', resolve, { once: true }));
      port.start();
      const shell = `${location.protocol}//${['shell', ...domain].join('.')}`;
      parent.postMessage({ latchkey: 'port', kind: 'service-worker' }, shell, [port2]);
      await ready;

      const plain = { t: 'request', method: 'GET', hasBody: false, dest: 'empty', mode: 'cors', site: 'same-origin' };
      const wishes: Record<string, { target: string; headers: [string, string][] }> = {
        'other names in headers': {
          target: '/whoami',
          headers: [
            ['host', elsewhere],
            ['x-forwarded-host', elsewhere],
            ['x-latchkey-user', 'somebody'],
            [':service', service],
            [':authority', elsewhere],
            [':jar-key', 'A'.repeat(43)],
          ],
        },
        'a whole address': { target: `http://${elsewhere}/whoami`, headers: [] },
        'an address without scheme': { target: `//${elsewhere}/whoami`, headers: [] },
      };
      const outcomes: Record<string, { status: number; body: string; error: string }> = {};
      for (const [id, [name, wanted]] of Object.entries(wishes).entries()) {
        outcomes[name] = await new Promise((resolve) => {
          let [status, body] = [0, ''];
          port.onmessage = ({ data }) => {
            if (data.id !== id) return;
            if (data.t === 'head') status = data.status;
            if (data.t === 'chunk') body += new TextDecoder().decode(data.chunk);
            if (data.t === 'end' || data.t === 'error') resolve({ status, body, error: data.code ?? '' });
          };
          port.postMessage({ ...plain, ...wanted, id, cookies: '' });
        });
      }
      return outcomes;
    }, other),
  );
}

/**
 * Asks from the app's own frame: for a port by a message to the shell, as only the helper may; and on the port that
 * pages have for their WebSockets, for everything else. @returns what was said on either, by the time an honest
 * WebSocket on the second was open.
 */
export function askWorkerFromApp(app: Frame): Promise<{ overTop: unknown[]; overWebSocketPort: unknown[] }> {
  return patient(
    app.evaluate(async () => {
      const [, ...domain] = location.host.split('.');
      const shell = `${location.protocol}//${['shell', ...domain].join('.')}`;
      const overTop: unknown[] = [];
      for (const message of [
        { latchkey: 'port', kind: 'service-worker' },
        { latchkey: 'port', kind: 'websocket' },
        { latchkey: 'ready' },
        { id: '1', type: 'APPLY', path: ['counts'], argumentList: [] },
      ]) {
        const { port1: port, port2 } = new MessageChannel();
        port.onmessage = ({ data }) => overTop.push(data);
        top?.postMessage(message, shell, [port2]);
      }

      // The port of an honest WebSocket, taken while it is made.
      const Channel = MessageChannel;
      let port = new Channel().port1;
      window.MessageChannel = class extends Channel {
        constructor() {
          super();
          port = this.port1;
        }
      };
      const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/echo`);
      window.MessageChannel = Channel;
      const overWebSocketPort: unknown[] = [];
      const request = { id: 7, method: 'GET', target: '/whoami', headers: [], hasBody: false, cookies: '' };
      port.postMessage({ t: 'request', ...request, dest: 'empty', mode: 'cors', site: 'same-origin' });
      port.postMessage({ id: '2', type: 'APPLY', path: ['counts'], argumentList: [] });
      port.postMessage({ t: 'key' });
      await new Promise<void>((resolve) => {
        port.addEventListener('message', ({ data }) => {
          if (data.t === 'open') resolve();
          else overWebSocketPort.push(data);
        });
      });
      socket.close(1_000);
      return { overTop, overWebSocketPort };
    }),
  );
}

/** What a page of another site reads of the window that frames it: the error's name for each thing tried. */
export function reachForShell(app: Frame): Promise<Record<string, string>> {
  return app.evaluate(() => {
    const shell = top as unknown as Record<string, unknown>;
    return Object.fromEntries(
      ['document', 'localStorage', 'indexedDB', 'customElements', 'navigator', 'secret'].map((name) => {
        try {
          return [name, String(shell[name])];
        } catch (error) {
          return [name, (error as Error).name];
        }
      }),
    );
  });
}

/** Sends a launch request into the hub as if from a window of some origin. @returns what the hub said on the port. */
export function requestLaunch(hub: Page, origins: readonly string[], service: string): Promise<string[][]> {
  return patient(
    hub.evaluate(
      async ({ senders, name }) => {
        const heard: string[][] = [];
        const last = Promise.withResolvers<void>();
        for (const [index, origin] of senders.entries()) {
          const { port1: port, port2 } = new MessageChannel();
          const words: string[] = [];
          heard.push(words);
          port.onmessage = ({ data }) => {
            words.push(data.t);
            if (index === senders.length - 1 && data.t !== 'heard') last.resolve();
          };
          port.postMessage({ t: 'key', sessionPublicKey: new Uint8Array(1_984) });
          const data = { latchkey: 'launch', service: name };
          window.dispatchEvent(new MessageEvent('message', { origin, data, ports: [port2] }));
        }
        await last.promise;
        return heard;
      },
      { senders: [...origins], name: service },
    ),
  );
}
