import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelOf, shellAddress, siblingOrigin } from '../../worker/origins.ts';
import { type RequestOrigin, type Site, siteOf } from '../../worker/sw/site.ts';

const own = 'http://wiki.apps.localhost:8700';
const shell = 'http://shell.apps.localhost:8700';
const form = { mode: 'navigate', destination: 'iframe', method: 'POST', origin: null, referrer: '' };
const get = { ...form, method: 'GET' };

const cases: [string, Partial<RequestOrigin>, boolean, Site][] = [
  ['a fetch of a page of the app', { mode: 'cors', method: 'POST' }, false, 'same-origin'],
  ['a form of the app', { ...form, origin: own }, true, 'same-origin'],
  ['a form of another site', { ...form, origin: 'https://evil.example' }, false, 'cross-site'],
  ['a form of a sibling app', { ...form, origin: 'http://evil.apps.localhost:8700' }, true, 'cross-site'],
  ['a form of an app that sends no referrer, in its own frame', { ...form, origin: 'null' }, true, 'same-origin'],
  ['a form of unknown origin into a fresh frame', { ...form, origin: 'null' }, false, 'cross-site'],
  ['a form of unknown origin into a tab', { ...form, origin: 'null', destination: 'document' }, true, 'cross-site'],
  ['a form where Origin does not show, by its referrer', { ...form, referrer: `${own}/login` }, false, 'same-origin'],
  ['a form where nothing shows', { ...form, destination: 'document' }, false, 'cross-site'],
  ['a link of the app', { ...get, referrer: `${own}/page` }, true, 'same-origin'],
  ['a link of another site', { ...get, referrer: 'https://evil.example/' }, false, 'cross-site'],
  ['a link of a sibling app', { ...get, referrer: 'http://evil.apps.localhost:8700/' }, false, 'cross-site'],
  ['what the shell opened', { ...get, referrer: `${shell}/` }, false, 'none'],
  [
    'what the shell’s address opened in a tab',
    { ...get, destination: 'document', referrer: `${shell}/` },
    false,
    'cross-site',
  ],
  ['a link that hides where it comes from, into a tab', { ...get, destination: 'document' }, false, 'cross-site'],
  ['a link of an app that sends no referrer, in its own frame', get, true, 'same-origin'],
];
for (const [what, fields, replacesOwn, site] of cases)
  test(`SameSite: ${what} is ${site}`, () => {
    assert.equal(siteOf({ ...get, ...fields }, own, shell, replacesOwn), site);
  });

test('shell and apps find each other by their first label', () => {
  const app = new URL('https://wiki.apps.example.org:8443/page?q=1');
  assert.equal(siblingOrigin(app, 'shell'), 'https://shell.apps.example.org:8443');
  assert.equal(labelOf(app), 'wiki');
  assert.equal(shellAddress(app, 'wiki'), 'https://shell.apps.example.org:8443/open/wiki');
  assert.equal(shellAddress(app, 'wiki', '/a?b=c#d'), 'https://shell.apps.example.org:8443/open/wiki#%2Fa%3Fb%3Dc%23d');
});
