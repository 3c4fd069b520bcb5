/** What a person sees when something is wrong: links, addresses, services that are not there or die. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { failureIn } from './support/browser-failure.ts';
import { beginFile, LocalPeer } from './support/browser-peer.ts';
import { linkFor } from './support/browser-world.ts';
import { endOf, eventAfter } from './support/node-audit.ts';
import { type OpenService, Person } from './support/person.ts';
import { Product } from './support/product.ts';

const mebibyte = 2 ** 20;

let product: Product;
let admin: Person;
/** Somebody whose browser was never enrolled. */
let stranger: Person;
/** A link that was good for one second. */
let expiredLink: string;
let peer: LocalPeer;
let notes: OpenService;

before(async () => {
  const earlier = await Product.start({ LATCHKEY_ENROLMENT_S: '1' });
  expiredLink = await linkFor(earlier, 'Late');
  assert.equal(await earlier.stop(), 0);
  product = await Product.start({}, earlier.data);
  peer = await LocalPeer.publish(product, 'depot');
  // With its first service an installation no longer shows the demo by itself.
  await product.cliJson('service', 'add', 'notes', 'http://demo.wg');
  admin = await Person.arrive();
  stranger = await Person.arrive();
  await admin.enrol(product.ready.enrol ?? '');
  notes = await admin.open('notes');
});
after(async () => {
  await stranger?.[Symbol.asyncDispose]();
  await admin?.[Symbol.asyncDispose]();
  await peer?.[Symbol.asyncDispose]();
  await product?.[Symbol.asyncDispose]();
});

/** What an alert of ours shows. */
async function alertOf(page: Page): Promise<{ code: string | null; sentence: string; correlation: string }> {
  const alert = page.locator('[role=alert][data-code]');
  await alert.waitFor();
  const ids = await alert.locator('code').allTextContents();
  return {
    code: await alert.getAttribute('data-code'),
    sentence: (await alert.locator('p').first().textContent()) ?? '',
    correlation: ids[0] ?? '',
  };
}

for (const [what, link, code, sentence] of [
  ['a wrong', () => product.ready.enrol?.replace(/#[\w-]+/, `#${'A'.repeat(43)}`), 'enrolment_unknown', /not known/],
  ['a used', () => product.ready.enrol, 'enrolment_used', /used already/],
  ['an expired', () => expiredLink.replace(/:\d+\//, `:${product.ready.port}/`), 'enrolment_expired', /has expired/],
  ['a cut', () => product.ready.enrol?.slice(0, -8), 'enrolment_malformed', /incomplete/],
] as const) {
  test(`BR-4: ${what} enrolment link gets one sentence, and this browser stays a stranger`, async () => {
    const page = stranger.hub;
    // By way of another page: only the fragment differs, which alone loads nothing.
    await page.goto('about:blank');
    await page.goto(link() ?? '');
    const button = page.getByRole('button', { name: 'Create a passkey' });
    if (code !== 'enrolment_malformed') await button.click();
    const shown = await alertOf(page);
    assert.equal(shown.code, code);
    assert.match(shown.sentence, sentence);
    assert.match(shown.sentence, /ask your administrator for a new one\.$/i);
    assert.equal(shown.correlation === '', code === 'enrolment_malformed', 'what a server refused has an id');
    assert.equal(new URL(page.url()).hash, code === 'enrolment_malformed' ? new URL(link() ?? '').hash : '');
    await page.goto(product.ready.hub);
    await page.getByRole('heading', { name: 'This browser is not set up yet' }).waitFor();
  });
}

test('BR-4: the hub under another host name is one sentence and no page', async () => {
  for (const host of ['127.0.0.1', 'localhost', 'hub.example.localhost', 'evil.hub.localhost']) {
    const answer = await stranger.hub.goto(`http://${host}:${product.ready.port}/`);
    assert.equal(answer?.status(), 421, host);
    const text = await stranger.hub.evaluate(() => document.body.textContent ?? '');
    assert.match(text, /This server does not serve that host\. Open the hub instead\./);
    assert.equal(await stranger.hub.locator('script').count(), 0);
  }
});

test('an unreachable service is a page with an id in its frame, and a reload finds it when it is there', async () => {
  const from = await endOf(product);
  const { app } = await admin.open('depot');
  const failure = await failureIn(app);
  assert.equal(failure.code, 'unreachable');
  assert.match(failure.text, /cannot be reached.+Try again; if it goes on, tell the person who runs this service/);
  const event = await eventAfter(product, from, ({ correlation }) => correlation === failure.correlation);
  assert.equal(event.service, 'depot');

  peer.serve((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>Depot</title><h1>Depot</h1>');
  });
  await app.evaluate(() => location.reload());
  await app.getByRole('heading', { name: 'Depot' }).waitFor();
  peer.stop();
  assert.equal(await notes.app.evaluate(async () => (await fetch('/whoami')).status), 200, 'another service goes on');
});

test('a service that dies in mid-download: a fetch rejects and a file is no file', async () => {
  const length = 8 * mebibyte;
  const begun = Promise.withResolvers<void>();
  let files = 0;
  peer.serve(({ url }, response) => {
    if (url !== '/file') {
      response
        .setHeader('content-type', 'text/html')
        .end('<!doctype html><h1>Depot</h1><a href="/file" download="stock.bin">Stock</a>');
      return;
    }
    void beginFile(response, length, mebibyte).then(() => {
      files += 1;
      if (files === 2) begun.resolve();
    });
  });
  const { shell, app } = await admin.open('depot');
  await app.getByRole('heading', { name: 'Depot' }).waitFor();
  const fetched = app.evaluate(async () => {
    const answer = await fetch('/file');
    return answer.arrayBuffer().then(
      (body) => `${body.byteLength} bytes`,
      (error) => error.name,
    );
  });
  fetched.catch(() => undefined);
  const downloading = shell.waitForEvent('download');
  await app.getByRole('link', { name: 'Stock' }).click();
  await begun.promise;
  const download = await downloading;
  assert.equal(download.suggestedFilename(), 'stock.bin');
  peer.stop();
  assert.notEqual(await download.failure(), null);
  assert.equal(await fetched, 'TypeError');
  await shell.close();
});

test('an app’s own address in a bare tab leads to its shell, and from there to the hub', async () => {
  const page = await stranger.context.newPage();
  const app = new URL(notes.app.url()).origin;
  const visited: string[] = [];
  page.on('framenavigated', (frame) => visited.push(frame.url()));
  await page.goto(`${app}/landed?x=1#y`);
  // The path inside the app is kept in the fragment.
  const launch = `${product.ready.hub}launch?service=notes#${encodeURIComponent('/landed?x=1#y')}`;
  await page.waitForURL(launch);
  await page.getByRole('heading', { name: 'This browser is not set up yet' }).waitFor();
  const shell = new URL(notes.shell.url()).origin;
  assert.ok(visited.includes(`${shell}/open/notes#${encodeURIComponent('/landed?x=1#y')}`), visited.join('\n'));
  await page.close();
});

test('BR-5: a browser where WebAssembly is switched off is told so', async () => {
  // No flag of Chromium takes it away, so the Worker's own script does, before all else.
  await admin.context.route('**/tunnel.worker*.js', async (route) => {
    const url = route.request().url();
    const { headers, text } = await notes.shell.evaluate(async (address) => {
      const response = await fetch(address);
      return { headers: Object.fromEntries(response.headers), text: await response.text() };
    }, `${url}?whole`);
    await route.fulfill({ headers, body: `delete globalThis.WebAssembly;${text}` });
  });
  const opened = admin.context.waitForEvent('page');
  await admin.hub.getByRole('link', { name: 'notes', exact: true }).click();
  const shell = await opened;
  const { code, sentence } = await alertOf(shell);
  assert.equal(code, 'wasm');
  assert.match(sentence, /WebAssembly is switched off/);
  await shell.close();
  await admin.context.unrouteAll();
});

test('a hard reload of the shell still ends in the app', async () => {
  const cdp = await admin.context.newCDPSession(notes.shell);
  for (let time = 1; time <= 2; time++) {
    const loaded = notes.shell.waitForEvent('load');
    await cdp.send('Page.reload', { ignoreCache: true });
    await loaded;
    notes = await admin.appOf(notes.shell, 'notes');
    await notes.app.getByRole('heading', { name: 'Field notes' }).waitFor();
  }
  const session = await admin.hub.evaluate(async () => (await fetch('/api/session')).json());
  await notes.app.locator('#identity', { hasText: session.user.id }).waitFor();
});

test('a page that a browser asks the network for ends in the app all the same', async () => {
  const cdp = await admin.context.newCDPSession(notes.shell);
  await cdp.send('Network.enable');
  await cdp.send('Network.setBypassServiceWorker', { bypass: true });
  const asked = notes.shell.waitForEvent('response', {
    predicate: (response) => response.frame() === notes.app && response.request().isNavigationRequest(),
  });
  await notes.app.evaluate(() => location.assign('/landed'));
  const boot = await asked;
  await cdp.send('Network.setBypassServiceWorker', { bypass: false });
  assert.equal(boot.fromServiceWorker(), false, 'the boot page');
  await notes.app.getByRole('heading', { name: 'You have landed' }).waitFor();
  await cdp.detach();
});

test('a connector that is killed in mid-download fails the fetch, and the app is back with the connector', async () => {
  const fetched = notes.app.evaluate(async (bytes) => {
    const reader = (await fetch(`/download?bytes=${bytes}`)).body?.getReader();
    await reader?.read();
    Object.assign(window, { begun: true });
    for (;;) {
      const { done } = (await reader?.read().catch((error) => error.name)) ?? { done: true };
      if (done === undefined) return 'failed';
      if (done) return 'whole';
    }
  }, 2_048 * mebibyte);
  fetched.catch(() => undefined);
  await notes.app.waitForFunction(() => 'begun' in window);
  const restarted = product.restarted('connector');
  process.kill(product.ready.pids.connector!, 'SIGKILL');
  await restarted;
  assert.equal(await fetched, 'failed');
  await notes.app.evaluate(() => location.assign('/'));
  await notes.app.getByRole('heading', { name: 'Field notes' }).waitFor();
});
