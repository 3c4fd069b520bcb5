/** The hub as an installed app: what is cached, what never is, and what an update does to open tabs. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { enrolmentLink, welcome } from './support/fake-api.ts';
import { MockInstallation } from './support/mock-installation.ts';
import { Visitor } from './support/visitor.ts';

let mock: MockInstallation;
before(async () => {
  mock = await MockInstallation.start();
});
after(() => mock[Symbol.asyncDispose]());

/** Waits until the hub's service worker controls this page's successors. */
async function installed(page: Page): Promise<void> {
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
}

/** Every address in every cache of the page's origin. */
const cached = (): Promise<string[]> =>
  caches
    .keys()
    .then((names) => Promise.all(names.map((name) => caches.open(name))))
    .then((stores) => Promise.all(stores.map((store) => store.keys())))
    .then((requests) => requests.flat().map(({ url }) => url));

test('BR-7: the browser finds nothing that keeps the hub from being installed', async () => {
  welcome(mock, { services: { wiki: 'Team wiki' } });
  await using visitor = await Visitor.arrive();
  const { page, context } = visitor;
  await visitor.enrol(enrolmentLink(mock));
  await installed(page);
  const cdp = await context.newCDPSession(page);
  const manifest = await cdp.send('Page.getAppManifest');
  assert.deepEqual(manifest.errors, []);
  const { installabilityErrors } = await cdp.send('Page.getInstallabilityErrors');
  // A context of its own for each test is "incognito" to the browser, and that alone is against it.
  const real = installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito');
  assert.deepEqual(real, []);
  const icons = (JSON.parse(manifest.data ?? '{}') as { icons: { src: string; sizes: string }[] }).icons;
  for (const { src, sizes } of icons) {
    const size = await page.evaluate(async (address) => {
      const image = new Image();
      image.src = address;
      await image.decode();
      return image.naturalWidth;
    }, src);
    assert.ok(sizes === 'any' ? size > 0 : `${size}x${size}` === sizes, src);
  }
});

test('BR-7: the cache holds the hub’s own files and nothing of the API, a link or a service', async () => {
  welcome(mock, { services: { wiki: 'Team wiki' } });
  await using visitor = await Visitor.arrive();
  const { page } = visitor;
  await visitor.enrol(enrolmentLink(mock));
  await installed(page);
  // Once more through the service worker, with everything that is asked for on the way.
  await page.reload();
  await page.getByRole('heading', { name: 'Your services' }).waitFor();
  await page.evaluate(() => fetch('/.well-known/latchkey/pins').catch(() => undefined));
  const addresses = await page.evaluate(cached);
  assert.ok(addresses.length >= 5, `${addresses.length} files`);
  for (const address of addresses) {
    const { origin, pathname, hash } = new URL(address);
    assert.equal(origin, mock.hub, address);
    assert.match(pathname, /^\/(index\.html|assets\/[\w-]+\.(js|css)|icon[\w-]*\.(png|svg)|manifest\.webmanifest)$/);
    assert.equal(hash, '', 'no fragment, so no token');
  }
  assert.deepEqual(visitor.complaints, []);
});

test('BR-7: an installed hub opens without its server and asks it for everything that decides', async () => {
  welcome(mock, { services: { wiki: 'Team wiki' } });
  await using visitor = await Visitor.arrive();
  const { page, context } = visitor;
  await visitor.enrol(enrolmentLink(mock));
  await installed(page);
  await context.setOffline(true);
  for (const path of ['/', '/launch?service=wiki', '/enrol']) {
    await page.goto('about:blank');
    await page.goto(mock.hub + path);
    await page.locator('lk-frame').waitFor();
  }
  await page.goto(mock.hub);
  await page.locator('[role=alert][data-code=offline]').waitFor();
  assert.equal(await page.getByRole('link', { name: 'Team wiki' }).count(), 0);
  await context.setOffline(false);
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('link', { name: 'Team wiki' }).waitFor();
});

test('a new version of the hub waits until no tab of the old one is left, and reloads none', async () => {
  welcome(mock, { services: { wiki: 'Team wiki' } });
  await using visitor = await Visitor.arrive();
  const { page } = visitor;
  await visitor.enrol(enrolmentLink(mock));
  await installed(page);
  await page.reload();
  await page.getByRole('heading', { name: 'Your services' }).waitFor();
  await page.evaluate(() => Object.assign(window, { sentinel: 'still here' }));
  mock.overrides.set('hub /sw.js', (bytes) => Buffer.concat([bytes, Buffer.from('\n// the next version')]));
  const states = await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    const found = new Promise((resolve) => registration.addEventListener('updatefound', resolve, { once: true }));
    await registration.update();
    await found;
    const next = registration.installing ?? registration.waiting;
    if (next?.state !== 'installed')
      await new Promise<void>((resolve) => {
        next?.addEventListener('statechange', () => next.state === 'installed' && resolve());
      });
    return { waiting: registration.waiting === next, active: registration.active?.state };
  });
  mock.overrides.clear();
  assert.deepEqual(states, { waiting: true, active: 'activated' });
  assert.equal(await page.evaluate(() => Reflect.get(window, 'sentinel')), 'still here');
});
