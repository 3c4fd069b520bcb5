/** One-time links in a real Chromium: a kiosk's guest, a guest who makes a passkey, one who is let in, and recovery. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { adminRequest } from '../../server/channel/admin-client.ts';
import type { AuditEvent } from '../../server/channel/audit-event.ts';
import { Person } from './support/person.ts';
import { Product } from './support/product.ts';

let product: Product;
before(async () => {
  product = await Product.start();
});
after(() => product?.[Symbol.asyncDispose]());

const link = async (...terms: string[]) => {
  const made = await product.cliJson('link', 'create', '--service', 'demo', ...terms);
  return { url: String(made['url']), id: (made['link'] as { id: string }).id };
};

/** Requests that policy refused, once the gateway has told of one. */
async function denials(): Promise<unknown[]> {
  const socket = join(product.data, 'admin.sock');
  for (;;) {
    const { events } = await adminRequest(socket, 'GET', '/admin/audit?limit=1000&type=http.request');
    const denied = (events as AuditEvent[]).filter(({ decision }) => decision === 'deny');
    if (denied.length > 0) return denied.map(({ actor, policies, detail }) => [detail?.['method'], policies, actor]);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test('BR-3, QPT-3: a kiosk’s guest opens the service by the link alone, only to read where it says so, until it is revoked and the screen is blank', async () => {
  const { url, id } = await link('--kiosk', '--read-only');
  await using guest = await Person.arrive();
  await guest.hub.goto(url);
  await guest.hub.getByText('for reading only').waitFor();
  assert.equal(new URL(guest.hub.url()).hash, '');
  await guest.hub.getByRole('button', { name: 'Open' }).click();
  await guest.hub.getByRole('heading', { name: 'Open to you' }).waitFor();
  const { shell, app } = await guest.open('demo');
  await app.getByRole('heading', { name: 'Field notes' }).waitFor();
  await app.evaluate(() => fetch('/', { method: 'POST', body: 'x' }).catch(() => undefined));
  const denied = await denials();
  assert.deepEqual(denied, [['POST', ['link-read-only-request'], `spiffe://latchkey.local/guest/${id}/1`]]);
  // Neither a device key nor a passkey is left in this browser.
  const databases = await guest.hub.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
  const kept = await guest.hub.evaluate(() => Object.keys(localStorage).length + Object.keys(sessionStorage).length);
  assert.deepEqual([databases, kept], [[], 0]);
  await product.cliJson('link', 'revoke', id);
  await shell.locator('[role=status][data-state=closed], [role=status][data-state=refused]').waitFor();
  // Of the app nothing is on the screen any more, and what it kept is wiped.
  await shell.locator('iframe.app').waitFor({ state: 'detached' });
  await shell.locator('[data-wiped=done]').waitFor();
});

/** What an app keeps in a browser, of every kind. */
const keep = async (): Promise<void> => {
  localStorage.setItem('kept', 'x');
  sessionStorage.setItem('kept', 'x');
  // biome-ignore lint/suspicious/noDocumentCookie: as an old app does
  document.cookie = 'kept=x; path=/; max-age=3600';
  await (await caches.open('kept')).put('/kept', new Response('x'));
  await new Promise<void>((resolve, reject) => {
    const request = indexedDB.open('kept');
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      request.result.close();
      resolve();
    };
  });
};

/** How much of each kind there is on the app's origin: seen from a page of it that runs no script of its own. */
async function keptBy(guest: Person, app: string): Promise<number[]> {
  const page = await guest.context.newPage();
  await page.goto(`${app}/.latchkey/installation.json`);
  const counts = await page.evaluate(async () => [
    localStorage.length,
    document.cookie.split('; ').filter((pair) => pair !== '' && !pair.startsWith('__latchkey')).length,
    (await caches.keys()).length,
    (await indexedDB.databases()).length,
    (await navigator.serviceWorker.getRegistrations()).length,
  ]);
  await page.close();
  return counts;
}

test('BR-9: when a kiosk’s visit ends, nothing of what the app kept is in the browser, in a tab that is open or was closed', async () => {
  await using guest = await Person.arrive();
  const visit = async () => {
    await guest.hub.goto((await link('--kiosk')).url);
    await guest.hub.getByRole('button', { name: 'Open' }).click();
    await guest.hub.getByRole('heading', { name: 'Open to you' }).waitFor();
    const { shell, app } = await guest.open('demo');
    await app.getByRole('heading', { name: 'Field notes' }).waitFor();
    await app.evaluate(keep);
    return { shell, app: new URL(app.url()).origin };
  };
  const open = await visit();
  assert.deepEqual(await keptBy(guest, open.app), [1, 1, 1, 1, 1]);
  await guest.hub.getByRole('button', { name: 'End visit' }).click();
  await guest.hub.locator('[data-wiped=done]').waitFor();
  await open.shell.locator('[data-wiped=done]').waitFor();
  assert.deepEqual(await keptBy(guest, open.app), [0, 0, 0, 0, 0]);
  assert.equal(await open.shell.locator('iframe').count(), 0, 'the app has gone');

  const closed = await visit();
  await closed.shell.close();
  assert.deepEqual(await keptBy(guest, closed.app), [1, 1, 1, 1, 1]);
  await guest.hub.getByRole('button', { name: 'End visit' }).click();
  await guest.hub.locator('[data-wiped=done]').waitFor();
  assert.deepEqual(await keptBy(guest, closed.app), [0, 0, 0, 0, 0]);
});

test('BR-9: a kiosk’s visit in which nobody clicks or types any more is over, and wiped', async () => {
  await using guest = await Person.arrive();
  await guest.hub.goto((await link('--kiosk')).url);
  await guest.hub.getByRole('button', { name: 'Open' }).click();
  await guest.hub.getByRole('heading', { name: 'Open to you' }).waitFor();
  const { shell, app } = await guest.open('demo');
  await app.getByRole('heading', { name: 'Field notes' }).waitFor();
  await app.evaluate(keep);
  const { origin } = new URL(app.url());
  // For this page alone five minutes pass each time that it looks at the clock.
  await guest.hub.evaluate(() => {
    const now = Date.now.bind(Date);
    let passed = 0;
    Date.now = () => {
      passed += 301_000;
      return now() + passed;
    };
  });
  await guest.hub.locator('[data-wiped=done]').waitFor();
  await shell.locator('[data-wiped=done]').waitFor();
  assert.deepEqual(await keptBy(guest, origin), [0, 0, 0, 0, 0]);
});

test('BR-3: a guest is let in by an administrator, makes a passkey, and finds the link’s services on the hub', async () => {
  const { url } = await link('--approve', '--for', 'mia@example.org');
  await using guest = await Person.arrive();
  await guest.hub.goto(url);
  await guest.hub.getByLabel('Your e-mail address').fill('mia@example.org');
  await guest.hub.getByLabel('Your name').fill('Mia');
  await guest.hub.getByRole('button', { name: 'Knock' }).click();
  const code = await guest.hub.locator('.code').textContent();
  const { knocks } = (await product.cliJson('link', 'knocks')) as {
    knocks: { id: string; code: string; name: string }[];
  };
  assert.deepEqual(
    knocks.map((knock) => [knock.code, knock.name]),
    [[code, 'Mia']],
  );
  await product.cliJson('link', 'approve', knocks[0]?.id ?? '');
  await guest.hub.getByRole('heading', { name: 'Your services' }).waitFor();
  const { app } = await guest.open('demo');
  await app.getByRole('heading', { name: 'Field notes' }).waitFor();
  const again = await guest.context.newPage();
  await again.goto(url);
  await again.locator('[role=alert][data-code=link_used]').waitFor();
});

test('BR-4: who lost their device comes back by a recovery link, and both browsers are told', async () => {
  const added = await product.cliJson('user', 'add', 'Noor', '--group', 'admins');
  await using lost = await Person.arrive();
  await lost.enrol(String(added['url']));
  const { app } = await lost.open('demo');
  await app.getByRole('heading', { name: 'Field notes' }).waitFor();
  const { url } = await product.cliJson('user', 'recover', String(added['user']));
  await using found = await Person.arrive();
  await found.hub.goto(String(url));
  await found.hub.getByRole('heading', { name: 'Recover your access' }).waitFor();
  await found.hub.getByRole('button', { name: 'Create a passkey' }).click();
  await found.hub.getByText('The device you had before is out.').waitFor();
  // What was open there is closed, and whoever has that device learns why.
  await lost.context
    .pages()
    .at(-1)
    ?.locator('[role=status][data-state=closed], [role=status][data-state=refused]')
    .waitFor();
  await lost.hub.reload();
  await lost.hub.getByRole('button', { name: 'Sign in' }).click();
  await lost.hub.locator('[role=alert][data-code=device_replaced]').waitFor();
  // From here on the other way back is there as well: one device takes the other out.
  const invited = await product.cliJson('user', 'invite', String(added['user']));
  await using second = await Person.arrive();
  await second.enrol(String(invited['url']));
  await found.hub.getByText('Your devices').click();
  await found.hub.getByRole('button', { name: 'Take out A device without a name' }).click();
  await found.hub.getByRole('button', { name: 'Close all it has open, for good' }).click();
  await found.hub.getByRole('button', { name: 'Close all it has open, for good' }).waitFor({ state: 'detached' });
  await second.hub.reload();
  await second.hub.getByRole('button', { name: 'Sign in' }).click();
  await second.hub.locator('[role=alert][data-code=device_unknown]').waitFor();
});
