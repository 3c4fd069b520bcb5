/**
 * Where the secrets of an open tunnel are in a real Chromium: in the Worker's memory, where a debugger finds them, and
 * nowhere in the windows around it: not in a buffer of the shell, the app, the helper frame or the hub, nor in a string.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { streamKey } from '../interop/latchkey/keys.ts';
import { heapOf, inBuffers, overObjects, pageSession, realmsOf, type Send, workerOf } from './support/browser-heap.ts';
import { alpha, publishTwo } from './support/browser-world.ts';
import { type OpenService, Person } from './support/person.ts';
import { Product } from './support/product.ts';

let product: Product;
let person: Person;
let tab: OpenService;

before(async () => {
  product = await Product.start();
  await publishTwo(product);
  person = await Person.arrive();
  await person.enrol(product.ready.enrol ?? '');
  tab = await person.open(alpha);
});
after(async () => {
  await person?.[Symbol.asyncDispose]();
  await product?.[Symbol.asyncDispose]();
});

/** Each takes about a second. */
const mostLooks = 60;

/** Secrets by name, in hexadecimal. */
type Secrets = Record<string, string>;

/** The epochs' secrets, out of the Worker's heap. */
async function secretsOf(worker: Send): Promise<Secrets> {
  const epochs = await overObjects(worker, 'Object.prototype', function () {
    const names = ['client', 'gateway', 'chain', 'exporter'];
    const isEpoch = (object: object): object is Record<string, Uint8Array> =>
      names.every((name) => Object.getOwnPropertyDescriptor(object, name)?.value instanceof Uint8Array);
    return this.filter(isEpoch).map((epoch) => names.map((name) => [name, Array.from(epoch[name]!)] as const));
  });
  // A wiped secret is no secret: an old epoch has some.
  const left = epochs.filter((epoch) => epoch.every(([, secret]) => secret.some((byte) => byte !== 0)));
  return Object.fromEntries(
    left.flatMap((epoch, i) =>
      epoch.map(([name, secret]) => [`epoch ${i} ${name}`, Buffer.from(secret).toString('hex')]),
    ),
  );
}

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
/** Eight bytes in a row from everywhere in a secret, as latin-1. */
function windows(hex: string): string[] {
  const bytes = Buffer.from(hex, 'hex');
  return Array.from({ length: Math.floor(bytes.length / 8) }, (_, i) =>
    bytes.toString('latin1', 8 * i, 8 * i + 8),
  ).filter((text) => text !== '\0'.repeat(8));
}

test('BR-5, QZ-18: the secrets of an open tunnel are in its Worker and in none of the windows around it', async (t) => {
  const { session } = await pageSession(tab.shell);
  const worker = await workerOf(session);
  const secrets = await secretsOf(worker);
  const names = Object.keys(secrets);
  for (const wanted of ['epoch 0 client', 'epoch 0 gateway', 'epoch 0 chain', 'epoch 0 exporter'])
    assert.ok(names.includes(wanted), `${wanted} was found in the Worker: ${names}`);

  // The very ones in use: the key of the control stream, derived from them here, stands in the Wasm's memory.
  const control = (side: string) => Buffer.from(streamKey(bytesOf(secrets[`epoch 0 ${side}`]!), 0n)).toString('hex');
  Object.assign(secrets, {
    'control stream, client': control('client'),
    'control stream, gateway': control('gateway'),
  });
  const needles = Object.values(secrets).flatMap(windows);
  const there = await inBuffers(worker, needles);
  assert.ok(there.found.length >= needles.length, 'the same search finds all of them in the Worker');

  let [realms, objects, buffers] = [0, 0, 0];
  for (const page of [tab.shell, person.hub]) {
    const { session: own, send } = await pageSession(page);
    for (const contextId of await realmsOf(own)) {
      const found = await inBuffers(send, needles, contextId);
      assert.deepEqual(found.found, [], `in a realm of ${page.url()}`);
      realms++;
      objects += found.objects;
      buffers += found.buffers;
    }
    const heap = await heapOf(own);
    assert.ok(heap.length > 1_000_000, 'a heap was written');
    for (const [name, secret] of Object.entries(secrets))
      for (const form of ['hex', 'base64', 'base64url'] as const) {
        // The whole may be part of a longer text, so its ends do not count in base64.
        const text = bytesOf(secret).subarray(0, 30);
        assert.ok(!heap.includes(Buffer.from(text).toString(form)), `${name} as ${form} in ${page.url()}`);
      }
  }
  assert.ok(realms >= 3, `${realms} realms`);
  await tab.shell.evaluate(
    (bytes) => Object.assign(window, { planted: new Map([['deep', { down: new Uint8Array(bytes) }]]) }) && undefined,
    [...bytesOf(secrets['epoch 0 client']!)],
  );
  const { send } = await pageSession(tab.shell);
  assert.equal((await inBuffers(send, needles)).found.length, 4, 'what is planted in a window is found there');
  t.diagnostic(
    `${Object.keys(secrets).length} secrets: all in the Worker, 0 in ${buffers} buffers of ${objects} objects in ${realms} realms and 2 heaps`,
  );
});

test('BR-5, QZ-18: when the tab closes its tunnel, the Worker and its secrets are gone from the process', async () => {
  const { session } = await pageSession(tab.shell);
  const worker = await workerOf(session);
  const needles = Object.values(await secretsOf(worker)).flatMap(windows);
  assert.ok(needles.length >= 16);
  const gone = new Promise((resolve) => session.on('Target.detachedFromTarget', resolve));
  await tab.shell.goto('about:blank');
  await gone;
  const { session: own, send } = await pageSession(tab.shell);
  for (const contextId of await realmsOf(own)) assert.deepEqual((await inBuffers(send, needles, contextId)).found, []);
});

test('QZ-18: when its tunnel is refused, a Worker that lives on has no secret of it any more, in its Wasm or elsewhere', async (t) => {
  const { shell } = await person.open(alpha);
  const { session } = await pageSession(shell);
  const worker = await workerOf(session);
  const secrets = await secretsOf(worker);
  for (const side of ['client', 'gateway'])
    secrets[`control ${side}`] = Buffer.from(streamKey(bytesOf(secrets[`epoch 0 ${side}`]!), 0n)).toString('hex');
  const needles = Object.values(secrets).flatMap(windows);
  const there = await inBuffers(worker, needles);
  assert.ok(there.found.length >= needles.length, 'all of them are found while the tunnel is open');
  const file = join(product.data, 'nobody.cedar');
  writeFileSync(file, '@id("nobody") forbid (principal, action, resource);');
  await product.cliJson('policy', 'apply', file);
  await shell.waitForSelector('[role=status][data-state=refused]');
  // Said at once; what sessions held goes when their last frames have been taken.
  let left = await inBuffers(worker, needles);
  for (let looks = 0; left.found.length > 0 && looks < mostLooks; looks += 1) left = await inBuffers(worker, needles);
  assert.deepEqual(left.found, []);
  assert.ok(left.buffers >= 3, 'the Worker lives, and its memory was looked through');
  t.diagnostic(
    `${needles.length} pieces of ${Object.keys(secrets).length} secrets: ${there.found.length} found while it was open, 0 in ${left.buffers} buffers after`,
  );
});
