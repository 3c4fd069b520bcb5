/** The hub's pages in a real browser, under the headers that the control plane gives them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { enrolmentLink, welcome } from './support/fake-api.ts';
import { MockInstallation } from './support/mock-installation.ts';
import { Visitor } from './support/visitor.ts';

const services = { wiki: 'Team wiki', notes: 'notes' };

let mock: MockInstallation;
before(async () => {
  mock = await MockInstallation.start();
});
after(() => mock[Symbol.asyncDispose]());

/** Content that is wider than its window. */
const overflow = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;

test('BR-4: a person enrols, signs out and signs in, and no page breaks a rule of its own policy', async () => {
  welcome(mock, { services });
  await using visitor = await Visitor.arrive();
  const { page } = visitor;
  await page.goto(enrolmentLink(mock));
  await page.getByRole('button', { name: 'Create a passkey' }).waitFor();
  assert.equal(page.url(), `${mock.hub}/enrol`, 'the token is out of the address bar');
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByRole('heading', { name: 'Your services' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Your services' }).waitFor();
  assert.deepEqual(await page.locator('lk-services li a').allTextContents(), ['Team wiki', 'notes']);
  const link = page.getByRole('link', { name: 'Team wiki', exact: true });
  assert.equal(await link.getAttribute('href'), `${mock.shell}/open/wiki`);
  assert.equal(await link.getAttribute('rel'), 'opener');
  assert.deepEqual(visitor.complaints, []);
});

test('BR-5: the keys of an enrolled browser cannot be exported by script of the hub', async () => {
  welcome(mock, { services });
  await using visitor = await Visitor.arrive();
  await visitor.enrol(enrolmentLink(mock));
  const refusals = await visitor.page.evaluate(async () => {
    const request = indexedDB.open('latchkey', 1);
    await new Promise((resolve) => {
      request.onsuccess = resolve;
    });
    const get = request.result.transaction('device').objectStore('device').get('this');
    await new Promise((resolve) => {
      get.onsuccess = resolve;
    });
    const { signing, jarRoot } = get.result as { signing: CryptoKeyPair; jarRoot: CryptoKey };
    return Promise.all(
      [signing.privateKey, jarRoot].flatMap((key) =>
        (['raw', 'pkcs8', 'jwk'] as const).map((format) =>
          crypto.subtle.exportKey(format as 'raw', key).then(
            () => 'exported',
            () => 'refused',
          ),
        ),
      ),
    );
  });
  assert.deepEqual(refusals, Array(6).fill('refused'));
});

test('an enrolment link that is incomplete or used up offers no button, says why and what to do', async () => {
  welcome(mock, { services });
  await using visitor = await Visitor.arrive();
  const { page } = visitor;
  await page.goto(`${mock.hub}/enrol#half-a-link`);
  await page.locator('[role=alert][data-code=enrolment_malformed]').waitFor();
  assert.equal(await page.getByRole('button').count(), 0);

  mock.api['POST /api/enrol/begin'] = () => ({ status: 410, error: 'enrolment_used', message: 'It was used already.' });
  await page.goto('about:blank');
  await page.goto(enrolmentLink(mock));
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  const alert = page.locator('[role=alert][data-code=enrolment_used]');
  await alert.waitFor();
  assert.match((await alert.textContent()) ?? '', /It was used already\.[\s\S]*f3a9c1d2e4b58607/);
  // The id can be copied; there is nothing else to press.
  assert.equal(await page.getByRole('button', { name: 'Copy the id' }).count(), 1);
  assert.equal(await page.getByRole('button').count(), 1);
  assert.deepEqual(visitor.complaints, []);
});

test('a browser that was never enrolled is told what to do', async () => {
  welcome(mock);
  await using visitor = await Visitor.arrive();
  await visitor.page.goto(mock.hub);
  await visitor.page.getByRole('heading', { name: 'This browser is not set up yet' }).waitFor();
  assert.deepEqual(visitor.complaints, []);
});

test('a hub whose server is away says so and tries again when asked', async () => {
  welcome(mock, { services });
  await using visitor = await Visitor.arrive();
  const { page } = visitor;
  await visitor.enrol(enrolmentLink(mock));
  const working = mock.api['GET /api/session'];
  mock.api['GET /api/session'] = () => ({ status: 503, error: 'no_gateway', message: 'Nobody is there.' });
  await page.goto(mock.hub);
  await page.locator('[role=alert]').getByText('Nobody is there.').waitFor();
  if (working !== undefined) mock.api['GET /api/session'] = working;
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('heading', { name: 'Your services' }).waitFor();
});

test('a person sent by a shell signs in and gets one button, which opens where they wanted to be', async () => {
  welcome(mock, { services });
  await using visitor = await Visitor.arrive();
  const { page, context } = visitor;
  await visitor.enrol(enrolmentLink(mock));
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();

  await page.goto(`${mock.hub}/launch?service=wiki#${encodeURIComponent('/page?q=1#part')}`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  const open = page.getByRole('button', { name: 'Open Team wiki' });
  await open.waitFor();
  const opened = context.waitForEvent('page');
  await open.click();
  const shell = await opened;
  assert.equal(shell.url(), `${mock.shell}/open/wiki#${encodeURIComponent('/page?q=1#part')}`);
  assert.equal(await shell.evaluate(() => window.opener !== null), true);
  await shell.close();

  await page.goto(`${mock.hub}/launch?service=payroll`);
  await page.locator('[role=alert][data-code=denied]').waitFor();
  assert.equal(await page.getByRole('button', { name: /^Open/ }).count(), 0);
  // Nothing of what a link says is taken for a place to go to.
  for (const said of ['//evil.example', 'https://evil.example', 'a.evil.example', '"><img src=x>']) {
    await page.goto(`${mock.hub}/launch?service=${encodeURIComponent(said)}`);
    await page.getByRole('heading', { name: 'Your services' }).waitFor();
    assert.equal(await page.getByRole('button', { name: /^Open/ }).count(), 0, said);
  }
  assert.deepEqual(visitor.complaints, []);
});

test('no page is wider than a phone of 360 pixels, with one service, twelve or none', async () => {
  const twelve = Object.fromEntries(
    Array.from({ length: 12 }, (_, i) => [`service-${i}`, `A service with quite a long name, number ${i}`]),
  );
  await using visitor = await Visitor.arrive({ width: 360, height: 720 });
  const { page } = visitor;
  for (const shown of [services, twelve, {}]) {
    welcome(mock, { services: shown, name: 'Augusta Ada King, Countess of Lovelace' });
    await page.goto('about:blank');
    await page.goto(enrolmentLink(mock));
    assert.ok((await page.evaluate(overflow)) <= 0);
    await page.getByRole('button', { name: 'Create a passkey' }).click();
    await page.getByRole('heading', { name: 'Your services' }).waitFor();
    assert.ok((await page.evaluate(overflow)) <= 0);
  }
});

test('a long list is narrowed by typing, and every service is reached by keyboard with a visible focus', async () => {
  const twelve = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`service-${i}`, `Service ${i}`]));
  welcome(mock, { services: twelve });
  await using visitor = await Visitor.arrive();
  const { page } = visitor;
  await visitor.enrol(enrolmentLink(mock));
  await page.getByRole('searchbox', { name: 'Find a service' }).fill('service-11');
  assert.deepEqual(await page.locator('lk-services li a').allTextContents(), ['Service 11']);
  await page.keyboard.press('Tab');
  const outline = await page
    .getByRole('link', { name: 'Service 11' })
    .evaluate((link) => (link.matches(':focus-visible') ? getComputedStyle(link, '::after').outlineStyle : 'no focus'));
  assert.equal(outline, 'solid');
});
