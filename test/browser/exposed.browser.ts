/** The Worker's door, tried from the page: what may be called, how errors come out, and that keys do not. */
import { type Remote, transferHandlers, wrap } from 'comlink';
import { faultHandler, TunnelFault } from '../../worker/api.ts';
import { next, same, thrown } from './support/expect.ts';
import type { ExposedApi } from './support/exposed.worker.ts';

transferHandlers.set('throw', faultHandler as never);
const worker = new Worker(new URL('./support/exposed.worker.ts', import.meta.url), { type: 'module' });
const started = next<MessageEvent>(worker, 'message');

async function remote(): Promise<Remote<ExposedApi>> {
  await started;
  return wrap<ExposedApi>(worker);
}

describe('errors that cross the Worker’s border', () => {
  it('keep code, sentence and correlation id', async () => {
    const api = await remote();
    const fault = (await thrown(() => api.refuse('denied'))) as TunnelFault;
    same(fault instanceof TunnelFault, true, 'class');
    same([fault.code, fault.message, fault.correlation], ['denied', 'A policy says no.', 'c0ffee']);
    same((await thrown(() => api.refuseLater('revoked'))).code, 'revoked');
  });

  it('say nothing of errors that nobody foresaw', async () => {
    const fault = await thrown(async () => (await remote()).stumble());
    same([fault.code, fault.message], ['internal', 'The tunnel failed.']);
  });
});

/** Everything comlink's protocol can ask for that is not a call of a member. */
const attempts: readonly Record<string, unknown>[] = [
  { type: 'GET', path: [] },
  { type: 'GET', path: ['publicKey'] },
  { type: 'GET', path: ['publicKey', 'constructor'] },
  { type: 'APPLY', path: ['constructor', 'constructor'], argumentList: [raw('return globalThis.planted = 1')] },
  { type: 'APPLY', path: ['constructor', 'prototype', '__defineGetter__'], argumentList: [raw('planted'), callback()] },
  {
    type: 'APPLY',
    path: ['constructor', 'prototype', '__defineSetter__'],
    argumentList: [raw('plantedSetter'), callback()],
  },
  { type: 'APPLY', path: ['publicKey', 'call'], argumentList: [] },
  { type: 'APPLY', path: ['toString'], argumentList: [] },
  { type: 'APPLY', path: ['__proto__'], argumentList: [] },
  { type: 'APPLY', path: ['hasOwnProperty'], argumentList: [raw('publicKey')] },
  { type: 'APPLY', path: [['publicKey']], argumentList: [] },
  { type: 'APPLY', path: 'publicKey', argumentList: [] },
  { type: 'APPLY', argumentList: [] },
  { type: 'SET', path: ['publicKey'], value: raw(1) },
  { type: 'SET', path: ['constructor', 'prototype', 'planted'], value: raw(1) },
  { type: 'SET', path: ['publicKey', '__proto__', 'plantedToo'], value: raw(1) },
  { type: 'CONSTRUCT', path: ['publicKey'], argumentList: [] },
  { type: 'CONSTRUCT', path: ['constructor'], argumentList: [] },
  { type: 'ENDPOINT' },
  { type: 'RELEASE' },
];

function raw(value: unknown) {
  return { type: 'RAW', value };
}

/** A function of the page's, as comlink passes one. */
function callback() {
  return { type: 'HANDLER', name: 'proxy', value: new MessageChannel().port1 };
}

function portsOf(message: Record<string, unknown>): Transferable[] {
  const given = (message['argumentList'] ?? []) as { value: unknown }[];
  return given.map(({ value }) => value).filter((value) => value instanceof MessagePort);
}

describe('BR-5: a script in the page', () => {
  it('gets no answer to anything but a call of a member, and changes nothing', async () => {
    const api = await remote();
    const answered: string[] = [];
    const listen = ({ data }: MessageEvent<{ id?: string }>) => {
      if (data.id?.startsWith('attempt ')) answered.push(data.id);
    };
    worker.addEventListener('message', listen);
    for (const [index, attempt] of attempts.entries())
      worker.postMessage({ id: `attempt ${index}`, ...attempt }, portsOf(attempt));
    // Messages keep their order, so whatever was going to be answered has been when this is.
    same(await api.planted(), [], 'planted on prototypes');
    same((await api.publicKey()).length, 1_984, 'the api still answers');
    same(answered, [], 'answered');
    worker.removeEventListener('message', listen);
  });

  it('cannot be handed a session key, not even by a mistake of ours', async () => {
    const api = await remote();
    // The key signs by closures, which no structured clone carries.
    await thrown(() => api.leakKey());
    same(await api.isFrozen(), true);
  });

  it('can copy nothing of a Worker but its name', async () => {
    same((await thrown(() => structuredClone(worker))).name, 'DataCloneError');
    const api = await remote();
    same((await thrown(() => structuredClone(api as never))).name, 'DataCloneError');
  });
});
