/** The app origin's service worker in a real browser: what it carries, what it never passes off as whole, and its restarts. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Frame, Page } from 'playwright-core';
import { welcome } from '../../web/support/fake-api.ts';
import { MockInstallation } from '../../web/support/mock-installation.ts';
import { Visitor } from '../../web/support/visitor.ts';
import { hasHeard, heard, openApp } from './stand-in-shell.ts';

let mock: MockInstallation;
before(async () => {
  mock = await MockInstallation.start();
  welcome(mock);
});
after(() => mock[Symbol.asyncDispose]());

/** Text of an answer, or how the fetch or its body failed. */
const ask = (frame: Frame, path: string, init: { method?: string; length?: number } = {}): Promise<string> =>
  frame.evaluate(
    async ({ address, method, length }) => {
      const body = length === undefined ? null : new Uint8Array(length);
      try {
        const response = await fetch(address, { method, body });
        return await response.text().catch((error: Error) => `body: ${error.name}`);
      } catch (error) {
        return `fetch: ${(error as Error).name}`;
      }
    },
    { address: path, method: init.method ?? 'GET', length: init.length },
  );

test('BR-1: requests of the app go to the tunnel, bodies both ways, redirects and cookies with them', async () => {
  await using visitor = await Visitor.arrive();
  const app = await openApp(visitor.page, mock, 'wiki');
  assert.equal(await ask(app, '/whole'), 'all of it');
  assert.equal(await ask(app, '/moved'), 'all of it');
  for (const length of [0, 1, 700_000, 3_000_000])
    assert.equal(await ask(app, '/upload', { method: 'POST', length }), String(length));
  assert.equal(await ask(app, '/cookie'), '');
  assert.equal(await app.evaluate(() => document.cookie), 'seen=1', 'seen as soon as the answer is');
  assert.equal(await ask(app, '/whole'), 'all of it');
  const last = (await heard(visitor.page)).findLast(({ t }) => t === 'request');
  assert.deepEqual([last?.cookies, last?.site], ['seen=1', 'same-origin']);
});

test('BR-1: the service’s words for a status reach the page', async () => {
  await using visitor = await Visitor.arrive();
  const app = await openApp(visitor.page, mock, 'wiki');
  const said = await app.evaluate(async () => (await fetch('/worded')).statusText);
  assert.equal(said, 'Nowhere at all');
});

test('BR-1: a service hears of languages as from a browser, and nothing of the shell’s frame around its page', async () => {
  await using visitor = await Visitor.arrive();
  const app = await openApp(visitor.page, mock, 'wiki');
  assert.equal(await ask(app, '/whole'), 'all of it');
  const asked = (await heard(visitor.page)).filter(({ t }) => t === 'request');
  const said = (target: string, wanted: string) =>
    asked.find((one) => one.target === target)?.headers?.find(([name]) => name === wanted)?.[1];
  assert.equal(said('/', 'referer'), undefined);
  assert.equal(said('/whole', 'referer'), `${mock.app('wiki')}/`);
  const [first = '', ...others] = await visitor.page.evaluate(() => navigator.languages);
  assert.equal(said('/whole', 'accept-language'), [first, ...others.map((one, i) => `${one};q=0.${9 - i}`)].join(','));
});

test('BR-6: a body that is cut is an error at every moment, never a short file', async () => {
  await using visitor = await Visitor.arrive();
  const app = await openApp(visitor.page, mock, 'wiki');
  assert.match(await ask(app, '/cut'), /^(fetch|body): TypeError$/);
  assert.match(await ask(app, '/short'), /^(fetch|body): TypeError$/, 'less than its sender counted');
  assert.equal(await ask(app, '/refused'), 'fetch: TypeError');
  assert.equal(await ask(app, '/odd'), 'fetch: TypeError');
  await hasHeard(visitor.page, 'cancel', '');
});

test('a page that cannot be brought is a sentence with its code and id, and a way to try again', async () => {
  await using visitor = await Visitor.arrive();
  const { page } = visitor;
  const app = await openApp(page, mock, 'wiki');
  await app.evaluate(() => location.assign('/refused'));
  const alert = app.getByRole('alert');
  await alert.getByRole('heading', { name: 'You may not open this page' }).waitFor();
  assert.match((await alert.textContent()) ?? '', /denied[\s\S]*c0ffee/);
  assert.equal(await app.getByRole('link', { name: 'Try again' }).getAttribute('href'), `${mock.app('wiki')}/refused`);
  assert.deepEqual(visitor.complaints, []);
});

test('BR-1: whoever goes back to the answer of a form sends it no second time', async () => {
  await using visitor = await Visitor.arrive();
  const { page } = visitor;
  const app = await openApp(page, mock, 'wiki');
  await app.evaluate(() => {
    const form = Object.assign(document.createElement('form'), { method: 'post', action: '/whole' });
    document.body.append(form);
    form.submit();
  });
  await app.waitForURL('**/whole');
  await app.evaluate(() => location.assign('/'));
  await app.waitForFunction(() => document.title === 'app');
  await app.evaluate(() => history.back());
  await app.getByRole('heading', { name: 'This page is not kept' }).waitFor();
  assert.equal(await app.getByRole('link', { name: 'Try again' }).count(), 0);
  assert.equal((await heard(page)).filter(({ target }) => target === '/whole').length, 1);
});

test('a service worker that was stopped asks for a port again and goes on', async () => {
  await using visitor = await Visitor.arrive();
  const { page, context } = visitor;
  const app = await openApp(page, mock, 'wiki');
  const cdp = await context.newCDPSession(page);
  await cdp.send('ServiceWorker.enable');
  for (let round = 1; round <= 3; round += 1) {
    const stopped = new Promise((resolve) =>
      cdp.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
        if (versions.some(({ runningStatus }) => runningStatus === 'stopped')) resolve(undefined);
      }),
    );
    await cdp.send('ServiceWorker.stopAllWorkers');
    await stopped;
    assert.equal(await ask(app, '/whole'), 'all of it');
  }
  const kinds = await page.evaluate(() => (Reflect.get(window, 'ports') as { kind: string }[]).map(({ kind }) => kind));
  assert.deepEqual(kinds, Array(4).fill('service-worker'));
});

test('BR-1: a tab opens while the browser looks for a newer service worker', async () => {
  await using visitor = await Visitor.arrive();
  const app = await openApp(visitor.page, mock, 'wiki');
  const [asked, found] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  mock.overrides.set('app /sw.js', async (bytes) => {
    asked.resolve();
    await found.promise;
    return bytes;
  });
  try {
    await app.evaluate(async () => void (await navigator.serviceWorker.ready).update());
    await asked.promise;
    const second = await openApp(await visitor.context.newPage(), mock, 'wiki');
    assert.equal(await ask(second, '/whole'), 'all of it');
  } finally {
    found.resolve();
    mock.overrides.delete('app /sw.js');
  }
});

/** How many requests for a path a tab's shell was asked for. */
const askedFor = (page: Page, path: string): Promise<number> =>
  page.evaluate(
    (wanted) => (Reflect.get(window, 'seen') as { target?: string }[]).filter(({ target }) => target === wanted).length,
    path,
  );

test('of two tabs each has a tunnel of its own, also after a restart, and closing one disturbs nothing of the other', async () => {
  await using visitor = await Visitor.arrive();
  const first = visitor.page;
  const appInFirst = await openApp(first, mock, 'wiki');
  const second = await visitor.context.newPage();
  const appInSecond = await openApp(second, mock, 'wiki');
  const cdp = await visitor.context.newCDPSession(first);
  await cdp.send('ServiceWorker.enable');
  await cdp.send('ServiceWorker.stopAllWorkers');
  assert.equal(await ask(appInFirst, '/whole'), 'all of it');
  assert.equal(await ask(appInSecond, '/moved'), 'all of it');
  assert.deepEqual([await askedFor(first, '/moved'), await askedFor(second, '/moved')], [0, 1]);
  const upload = ask(appInSecond, '/never', { method: 'POST', length: 5 });
  const get = ask(appInSecond, '/never').catch(() => 'the page was closed');
  upload.catch(() => undefined);
  await second.waitForFunction(
    () =>
      (Reflect.get(window, 'seen') as { target?: string }[]).filter(({ target }) => target === '/never').length === 2,
  );
  await first.close();
  assert.equal(await Promise.race([upload, get, ask(appInSecond, '/whole')]), 'all of it');
  assert.equal(await askedFor(second, '/never'), 2);
  await second.close();
  assert.equal(await get, 'the page was closed');
});

test('a pop-up goes through a tab of its app; with that closed, what was under way fails and the rest moves', async () => {
  await using visitor = await Visitor.arrive();
  const first = visitor.page;
  const appInFirst = await openApp(first, mock, 'wiki');
  const second = await visitor.context.newPage();
  await openApp(second, mock, 'wiki');
  const opening = visitor.context.waitForEvent('page');
  await appInFirst.evaluate(() => void window.open('/'));
  const popup = await opening;
  await popup.waitForFunction(() => document.title === 'app');
  const upload = ask(popup.mainFrame(), '/never', { method: 'POST', length: 5 });
  await Promise.race([first, second].map((page) => hasHeard(page, 'request', '/never')));
  const [holds, other] = (await askedFor(first, '/never')) === 1 ? [first, second] : [second, first];
  const get = ask(popup.mainFrame(), '/never').catch(() => 'the page was closed');
  await holds.waitForFunction(
    () =>
      (Reflect.get(window, 'seen') as { target?: string }[]).filter(({ target }) => target === '/never').length === 2,
  );
  await holds.close();
  assert.equal(await upload, 'fetch: TypeError', 'a request that may have been seen is not sent again');
  await hasHeard(other, 'request', '/never');
  assert.equal(await ask(popup.mainFrame(), '/whole'), 'all of it');
  await popup.close();
  assert.equal(await get, 'the page was closed');
});

test('an app that is opened in a tab of its own is led to its shell', async () => {
  await using visitor = await Visitor.arrive();
  const { page, context } = visitor;
  await openApp(page, mock, 'wiki');
  await page.goto('about:blank');
  const bare = await context.newPage();
  await bare.goto(`${mock.app('wiki')}/page?q=1`);
  assert.equal(bare.url(), `${mock.shell}/open/wiki#${encodeURIComponent('/page?q=1')}`);
});
