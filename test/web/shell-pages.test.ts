/** The shell's pages in a real browser, as far as they go without a tunnel. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { enrolmentLink, welcome } from './support/fake-api.ts';
import { MockInstallation } from './support/mock-installation.ts';
import { Visitor } from './support/visitor.ts';

const services = { wiki: 'Team wiki' };

let mock: MockInstallation;
before(async () => {
  mock = await MockInstallation.start();
  welcome(mock, { services });
});
after(() => mock[Symbol.asyncDispose]());

async function openWiki(visitor: Visitor): Promise<Page> {
  await visitor.enrol(enrolmentLink(mock));
  const opened = visitor.context.waitForEvent('page');
  await visitor.page.getByRole('link', { name: 'Team wiki' }).click();
  return opened;
}

test('BR-7: a refused launch is one status, one sentence, an id and a way back, in a toolbar of 40 pixels', async () => {
  await using visitor = await Visitor.arrive({ width: 360, height: 720 });
  const shell = await openWiki(visitor);
  const status = shell.locator('[role=status]');
  await shell.locator('[role=status][data-state=refused]').waitFor();
  assert.equal(await status.count(), 1);
  assert.equal((await status.textContent())?.trim(), 'Refused');
  assert.equal(await status.getAttribute('data-transport'), null);
  const alert = shell.locator('[role=alert][data-code=denied]');
  assert.match((await alert.textContent()) ?? '', /No policy lets you open this service[\s\S]*f3a9c1d2e4b58607/);
  assert.equal(
    await shell.getByRole('link', { name: 'Go to the hub' }).getAttribute('href'),
    `${mock.hub}/launch?service=wiki`,
  );
  const box = await shell.locator('header').boundingBox();
  assert.ok(box !== null && box.height <= 40, `${box?.height} pixels`);
  assert.ok((await shell.evaluate(() => document.documentElement.scrollWidth)) <= 360);
  assert.deepEqual(visitor.complaints, []);
});

test('a shell without a hub sends the person to the hub’s launch page and is not left in the history', async () => {
  await using visitor = await Visitor.arrive();
  const { page } = visitor;
  await page.goto('about:blank');
  await page.goto(`${mock.shell}/open/wiki#${encodeURIComponent('/page')}`);
  await page.waitForURL(`${mock.hub}/launch?service=wiki#${encodeURIComponent('/page')}`);
  await page.goBack();
  assert.equal(page.url(), 'about:blank');
});

test('a shell whose opener is no hub any more does not wait for it for ever', async () => {
  await using visitor = await Visitor.arrive();
  const { page, context } = visitor;
  // The opener has gone elsewhere: what the shell says is addressed to the hub's origin and never arrives.
  await page.goto(`${mock.app('elsewhere')}/.latchkey/helper.html`);
  const opened = context.waitForEvent('page');
  await page.evaluate((address) => void window.open(address), `${mock.shell}/open/wiki`);
  const shell = await opened;
  await shell.locator('[role=status][data-state=connecting]').waitFor();
  await shell.waitForURL(`${mock.hub}/launch?service=wiki`);
});

test('an address that names no service says so', async () => {
  await using visitor = await Visitor.arrive();
  for (const path of ['/open/', '/open/Not%20A%20Name', '/open/wiki/more', '/']) {
    await visitor.page.goto(mock.shell + path);
    await visitor.page.locator('[role=alert][data-code=address]').waitFor();
  }
});

test('nothing moves for people who asked for less motion', async () => {
  for (const [reducedMotion, moving] of [
    ['no-preference', true],
    ['reduce', false],
  ] as const) {
    await using visitor = await Visitor.arrive({ reducedMotion });
    const { page, context } = visitor;
    await page.goto(`${mock.app('elsewhere')}/.latchkey/helper.html`);
    const opened = context.waitForEvent('page');
    await page.evaluate((address) => void window.open(address), `${mock.shell}/open/wiki`);
    const shell = await opened;
    await shell.locator('[role=status][data-state=connecting]').waitFor();
    const animations = await shell
      .locator('lk-shell-bar')
      .evaluate((element) => element.shadowRoot?.getAnimations().length ?? 0);
    assert.equal(animations > 0, moving, reducedMotion);
  }
});

test('BR-9: two tabs in which a visit ends wipe an app’s origin one after the other', async () => {
  await using visitor = await Visitor.arrive();
  const { page, context } = visitor;
  const asked: string[] = [];
  const first = Promise.withResolvers<void>();
  const isAsked = Promise.withResolvers<void>();
  await context.route(`${mock.app('wiki')}/.latchkey/wipe/*`, async (route) => {
    asked.push(route.request().url());
    isAsked.resolve();
    if (asked.length === 1) await first.promise;
    const body = '<!doctype html><script type="module" src="/.latchkey/wipe.js"></script>';
    await route.fulfill({ contentType: 'text/html', body });
  });
  const ended = `${mock.shell}/ended#wiki.${'t'.repeat(43)}`;
  await page.goto(ended);
  await isAsked.promise;
  const second = await context.newPage();
  await second.goto(ended);
  const waiting = () => second.evaluate(async () => (await navigator.locks.query()).pending?.length);
  while (asked.length === 1 && (await waiting()) !== 1);
  assert.equal(asked.length, 1);
  first.resolve();
  for (const tab of [page, second]) await tab.locator('[data-wiped=done]').waitFor();
  assert.equal(asked.length, 2);
});
