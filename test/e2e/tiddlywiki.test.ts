/**
 * The main job: a person with only a browser uses an internal web app that lives behind a WireGuard peer. Every link is
 * real: Chromium, passkey, Worker and Wasm, WebTransport, gateway, WireGuard packets, wireguard-go, TiddlyWiki.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { needsNamespaces } from '../support/namespace.ts';
import { FarNetwork } from './support/far-network.ts';
import { type OpenService, Person, statusOf } from './support/person.ts';
import { Product } from './support/product.ts';

let product: Product;
let far: FarNetwork;
let person: Person;
let wiki: OpenService;

before(async () => {
  if ('skip' in needsNamespaces) return;
  product = await Product.start();
  far = new FarNetwork();
  await far.joinTo(product);
  person = await Person.arrive();
});
after(async () => {
  await person?.[Symbol.asyncDispose]();
  await product?.[Symbol.asyncDispose]();
  await far?.[Symbol.asyncDispose]();
});

test(
  'BR-4: an enrolment link makes a passkey, and the launcher lists what the person may open',
  needsNamespaces,
  async () => {
    await person.enrol(product.ready.enrol ?? '');
    assert.deepEqual((await person.launcher(product.ready.hub)).sort(), ['Field notes', 'Team wiki']);
  },
);

test('BR-1: TiddlyWiki opens in its frame over WebTransport', needsNamespaces, async () => {
  wiki = await person.open('Team wiki');
  await wiki.app.getByRole('heading', { name: 'GettingStarted' }).waitFor();
  assert.deepEqual(await statusOf(wiki.shell), { state: 'open', transport: 'webtransport', epoch: 0 });
});

test('BR-1: a tiddler is written, saved, and there after a reload', needsNamespaces, async () => {
  await wiki.app.locator('button[aria-label="new tiddler"]').first().click();
  const title = wiki.app.locator('input.tc-titlebar').first();
  await title.waitFor();
  await title.fill('Written through the tunnel');
  // The editor is a blank frame, as TiddlyWiki makes it.
  const editor = wiki.app.frameLocator('iframe.tc-edit-texteditor-body').locator('textarea');
  await editor.fill('Nothing was installed for this.');
  const saved = wiki.shell.context().waitForEvent('requestfinished', {
    predicate: (request) => request.method() === 'PUT' && request.url().endsWith('Written%20through%20the%20tunnel'),
  });
  await wiki.app.locator('button[aria-label="Confirm changes to this tiddler"]').first().click();
  await saved;
  await wiki.shell.reload();
  wiki = await person.appOf(wiki.shell, 'Team wiki');
  await wiki.app.evaluate(() => {
    location.hash = '#Written%20through%20the%20tunnel';
  });
  await wiki.app.getByText('Nothing was installed for this.').first().waitFor();
});

test('BR-7: the app is gone when wireguard-go stops, and back when it runs again', needsNamespaces, async () => {
  const status = () => wiki.app.evaluate(async () => (await fetch('/status').catch(() => undefined))?.status ?? 0);
  assert.equal(await status(), 200);
  await far.stopWireGuard();
  assert.equal(await status(), 0);
});
