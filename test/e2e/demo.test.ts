/** The demo service in a real browser, with nothing but `latchkey up`: what any web app does, through the tunnel. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { after, before, test } from 'node:test';
import { downloadBytes } from '../../server/connector/demo/transfers.ts';
import { growthOf } from './support/memory.ts';
import { type OpenService, Person, statusOf } from './support/person.ts';
import { Product } from './support/product.ts';

const mebibyte = 2 ** 20;

let product: Product;
let person: Person;
let demo: OpenService;

before(async () => {
  product = await Product.start();
  person = await Person.arrive();
  await person.enrol(product.ready.enrol ?? '');
  demo = await person.open('demo');
});
after(async () => {
  await person?.[Symbol.asyncDispose]();
  await product?.[Symbol.asyncDispose]();
});

/** SHA-256 of the demo's download of this length, computed here. */
function expectedDigest(bytes: number): string {
  const hash = createHash('sha256');
  for (const chunk of downloadBytes(bytes)) hash.update(chunk);
  return hash.digest('hex');
}

test('BR-4: a later visit signs in with the passkey', async () => {
  await person.context.clearCookies();
  await person.hub.goto(product.ready.hub);
  await person.hub.getByRole('button', { name: 'Sign in' }).click();
  await person.hub.getByRole('heading', { name: 'Your services' }).waitFor();
});

test('BR-1: pages, sub-resources and fetch work, and the gateway says who the visitor is', async () => {
  await demo.app.getByRole('heading', { name: 'Field notes' }).waitFor();
  const session = await person.hub.evaluate(async () => (await fetch('/api/session')).json());
  await demo.app.locator('#identity', { hasText: session.user.id }).waitFor();
  const font = await demo.app.locator('h1').evaluate((heading) => getComputedStyle(heading).fontSize);
  assert.equal(font, '25.6px');
});

test('BR-1: a redirect is followed and a link goes back', async () => {
  await demo.app.getByRole('link', { name: 'Follow a redirect' }).click();
  await demo.app.getByRole('heading', { name: 'You have landed' }).waitFor();
  assert.equal(new URL(demo.app.url()).pathname, '/landed');
  await demo.app.getByRole('link', { name: 'Back' }).click();
  await demo.app.getByRole('heading', { name: 'Field notes' }).waitFor();
});

test('BR-1: a form signs in by a cookie that scripts do not see', async () => {
  await demo.app.getByLabel('Your name').fill('Grace');
  await demo.app.getByRole('button', { name: 'Sign in to Field notes' }).click();
  await demo.app.locator('#account', { hasText: 'Grace' }).waitFor();
  assert.equal(await demo.app.evaluate(() => document.cookie), '');
  const cookies = await person.context.cookies(new URL(demo.app.url()).origin);
  assert.deepEqual(cookies, []);
});

test('BR-1: a WebSocket echoes text and binary, and closes cleanly', async () => {
  await demo.app.getByLabel('Say something').fill('through the tunnel');
  await demo.app.getByRole('button', { name: 'Send over WebSocket' }).click();
  await demo.app.locator('#lines li', { hasText: 'through the tunnel' }).waitFor();
  const outcome = await demo.app.evaluate(
    () =>
      new Promise((resolve) => {
        const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/echo`);
        socket.binaryType = 'arraybuffer';
        socket.onopen = () => socket.send(Uint8Array.of(1, 2, 250));
        socket.onmessage = (event) => {
          socket.onclose = (close) =>
            resolve({ bytes: [...new Uint8Array(event.data)], code: close.code, clean: close.wasClean });
          socket.close(1000, 'done');
        };
      }),
  );
  assert.deepEqual(outcome, { bytes: [1, 2, 250], code: 1000, clean: true });
});

test('BR-6: 64 MiB down and 16 MiB up arrive whole while no process grows by more than 64 MiB', async () => {
  const growth = growthOf(product);
  const down = await demo.app.evaluate(async (bytes) => {
    const body = await (await fetch(`/download?bytes=${bytes}`)).arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', body));
    return {
      length: body.byteLength,
      sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(''),
    };
  }, 64 * mebibyte);
  assert.deepEqual(down, { length: 64 * mebibyte, sha256: expectedDigest(64 * mebibyte) });

  const up = await demo.app.evaluate(async (bytes) => {
    const body = new Uint8Array(bytes);
    for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(body.subarray(at, at + 65_536));
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', body));
    const answer = await (await fetch('/upload', { method: 'POST', body })).json();
    return { ...answer, expected: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('') };
  }, 16 * mebibyte);
  assert.equal(up.bytes, 16 * mebibyte);
  assert.equal(up.sha256, up.expected);
  for (const [part, bytes] of Object.entries(await growth.end()))
    assert.ok(bytes <= 64 * mebibyte, `${part} grew by ${Math.round(bytes / mebibyte)} MiB`);
});

test('a download by a link is a whole file; one whose service dies is a failed download, never a short file', async () => {
  const downloading = demo.shell.waitForEvent('download');
  await demo.app.getByRole('link', { name: 'Download 8 MiB' }).click();
  const file = await (await downloading).path();
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  assert.equal(hash.digest('hex'), expectedDigest(8 * mebibyte));

  const failing = demo.shell.waitForEvent('download');
  await demo.app.evaluate(() => {
    const link = document.createElement('a');
    link.href = '/download?bytes=8388608&stop=1048576';
    link.download = 'cut.bin';
    document.body.append(link);
    link.click();
  });
  assert.notEqual(await (await failing).failure(), null);
  const fetched = await demo.app.evaluate(() =>
    fetch('/download?bytes=8388608&stop=1048576')
      .then((answer) => answer.arrayBuffer())
      .then(
        () => 'whole',
        (error) => error.name,
      ),
  );
  assert.equal(fetched, 'TypeError');
});

test('BR-5: records sealed in Wasm are the records that were sent', async () => {
  const counts = await demo.shell.evaluate(() => {
    const shell = document.querySelector('lk-shell') as unknown as { counts(): Promise<unknown> };
    return shell.counts();
  });
  const { sealedInWasm, recordsSent } = counts as { sealedInWasm: number; recordsSent: number };
  assert.ok(recordsSent > 1_000, `${recordsSent} records`);
  assert.equal(sealedInWasm, recordsSent);
});

test('the status tells state, transport and epoch', async () => {
  const { epoch, ...status } = await statusOf(demo.shell);
  assert.deepEqual(status, { state: 'open', transport: 'webtransport' });
  // On a slow machine two minutes, and with them the first rekey, may have passed.
  assert.ok(Number.isInteger(epoch) && epoch >= 0);
});

test('a page the service does not have is the service’s own answer', async () => {
  const status = await demo.app.evaluate(async () => (await fetch('/nothing')).status);
  assert.equal(status, 404);
});
