import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelOf, shellAddress, siblingOrigin } from '../../worker/origins.ts';
import { type Asking, type AskPage, type RequestOrigin, type Site, Sites } from '../../worker/sw/site.ts';

const own = 'http://wiki.apps.localhost:8700';
const shell = 'http://shell.apps.localhost:8700';
const sibling = 'http://evil.apps.localhost:8700';
const url = `${own}/there`;
const get = { url, mode: 'navigate', method: 'GET', origin: null, referrer: '', isReload: false };
const form = { ...get, method: 'POST', origin: 'null' };

/** What the page that is shown knows of. */
type Page = Awaited<ReturnType<AskPage>>;
const toThere = { url: `${url}#part`, isForm: false };
const formToThere = { url, isForm: true };

const asking = (request: Partial<RequestOrigin>, resultingClientId = 'next'): Asking => ({
  request: { ...get, ...request },
  clientId: 'page',
  resultingClientId,
});

const cases: [string, Partial<RequestOrigin>, Page, Site][] = [
  ['a fetch of a page of the app', { mode: 'cors', method: 'POST' }, undefined, 'same-origin'],
  ['a form of the app', { ...form, origin: own }, 'nothing', 'same-origin'],
  ['a form of another site', { ...form, origin: 'https://evil.example' }, undefined, 'cross-site'],
  [
    'a form of another site to where a page goes',
    { ...form, origin: 'https://evil.example' },
    formToThere,
    'cross-site',
  ],
  ['a form of a sibling app', { ...form, origin: sibling }, formToThere, 'cross-site'],
  [
    'a form where Origin does not show, by its referrer',
    { ...form, origin: null, referrer: url },
    undefined,
    'same-origin',
  ],
  ['a form without referrer that the page knows of', form, formToThere, 'same-origin'],
  ['a form without referrer that the page knows nothing of', form, 'nothing', 'cross-site'],
  ['a form without referrer that the page began to elsewhere', form, { ...formToThere, url: own }, 'cross-site'],
  ['a form without referrer where the page follows a link', form, toThere, 'cross-site'],
  ['a form without referrer where no page of the app is', form, undefined, 'cross-site'],
  ['a form where nothing shows', { ...form, origin: null }, undefined, 'cross-site'],
  ['a form without referrer that is sent again', { ...form, isReload: true }, 'nothing', 'cross-site'],
  ['a link of the app', { ...get, referrer: `${own}/page` }, 'nothing', 'same-origin'],
  ['a link of another site', { ...get, referrer: 'https://evil.example/' }, toThere, 'cross-site'],
  ['a link of a sibling app', { ...get, referrer: `${sibling}/` }, toThere, 'cross-site'],
  ['what the shell opened', { ...get, referrer: `${shell}/` }, undefined, 'none'],
  ['a link without referrer that the page knows of', get, toThere, 'same-origin'],
  ['a link without referrer that the page knows nothing of', get, 'nothing', 'cross-site'],
  ['a link without referrer where the page sends a form', get, formToThere, 'cross-site'],
  ['a link without referrer where no page of the app is', get, undefined, 'cross-site'],
  ['a page without referrer that is loaded anew', { ...get, isReload: true }, 'nothing', 'same-origin'],
  ['what is loaded anew where no page of the app is', { ...get, isReload: true }, undefined, 'cross-site'],
];
for (const [what, request, page, site] of cases)
  test(`SameSite: ${what} is ${site}`, async () => {
    assert.equal(await new Sites(own, shell, async () => page).of(asking(request)), site);
  });

test('SameSite: what another site led to is still its own when a person loads it anew', async () => {
  const sites = new Sites(own, shell, answeringOnce());
  assert.equal(await sites.of(asking({}, 'led to')), 'cross-site');
  const anew = { request: { ...get, isReload: true }, clientId: 'led to', resultingClientId: 'anew' };
  assert.equal(await sites.of(anew), 'cross-site');
});

/** Pages that answer once, as they do. */
function answeringOnce(...answers: Page[]): AskPage {
  return async () => answers.shift() ?? 'nothing';
}

test('SameSite: where the service redirects a form, it is still whose it was', async () => {
  const landed = { ...get, url: `${own}/landed` };
  const sites = new Sites(own, shell, answeringOnce(formToThere));
  assert.equal(await sites.of(asking(form, 'first')), 'same-origin');
  assert.equal(await sites.of(asking(landed, 'first')), 'same-origin');
  assert.equal(
    await sites.of(asking(landed, 'another')),
    'cross-site',
    'by way of another origin it is another client',
  );
  assert.equal(await sites.of(asking({ ...form, origin: sibling }, 'second')), 'cross-site');
  assert.equal(await sites.of(asking({ ...landed, referrer: url }, 'second')), 'cross-site');
});

test('SameSite: what a page knows of counts once, also for a navigation that said itself whose it was', async () => {
  for (const first of [form, { ...form, origin: own }]) {
    const sites = new Sites(own, shell, answeringOnce(formToThere));
    assert.equal(await sites.of(asking(first, 'first')), 'same-origin');
    assert.equal(await sites.of(asking(form, 'second')), 'cross-site');
  }
});

test('SameSite: of navigations that are long over the oldest are forgotten', async () => {
  const sites = new Sites(own, shell, answeringOnce(formToThere));
  await sites.of(asking(form, 'first'));
  for (let n = 0; n < 255; n += 1) await sites.of(asking(get, `${n}`));
  assert.equal(await sites.of(asking(form, 'first')), 'same-origin');
  await sites.of(asking(get, 'one more'));
  assert.equal(await sites.of(asking(form, 'first')), 'cross-site');
});

test('shell and apps find each other by their first label', () => {
  const app = new URL('https://wiki.apps.example.org:8443/page?q=1');
  assert.equal(siblingOrigin(app, 'shell'), 'https://shell.apps.example.org:8443');
  assert.equal(labelOf(app), 'wiki');
  assert.equal(shellAddress(app, 'wiki'), 'https://shell.apps.example.org:8443/open/wiki');
  assert.equal(shellAddress(app, 'wiki', '/a?b=c#d'), 'https://shell.apps.example.org:8443/open/wiki#%2Fa%3Fb%3Dc%23d');
});
