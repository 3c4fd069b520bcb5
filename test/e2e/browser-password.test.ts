/** A service that asks for a password by HTTP (RFC 7617), as a person sees it: the shell asks, and the page goes on. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { arrive } from './support/arrive.ts';
import { LocalPeer } from './support/browser-peer.ts';
import { linkFor } from './support/browser-world.ts';
import { type OpenService, Person } from './support/person.ts';
import { Product } from './support/product.ts';

const right = `Basic ${Buffer.from('grace:hopper £').toString('base64')}`;

let product: Product;
let person: Person;
let peer: LocalPeer;
let files: OpenService;
/** What the service was asked, in order. */
const heard: { target: string; authorization: string | undefined; cookie: string | undefined }[] = [];

function service({ url = '', headers }: IncomingMessage, response: ServerResponse): void {
  const { authorization, cookie } = headers;
  heard.push({ target: url, authorization, cookie });
  if (url === '/open') {
    response.writeHead(200, { 'content-type': 'text/html', 'set-cookie': ['seen=1', 'kept=1; HttpOnly'] });
    response.end('<!doctype html><title>Open</title><h1>Open to all</h1>');
  } else if (authorization !== right && !(url === '/' && headers.host?.startsWith('notes.'))) {
    response.writeHead(401, {
      'content-type': 'text/html',
      'www-authenticate': 'Basic realm="files", charset="UTF-8"',
    });
    response.end('<!doctype html><title>Closed</title><h1>Closed</h1>');
  } else {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<!doctype html><title>Files</title><h1>The files</h1>');
  }
}

before(async () => {
  product = await Product.start();
  peer = await LocalPeer.publish(product, 'files');
  peer.serve(service);
  // The same one, but its first page is for everybody.
  await product.cliJson('service', 'add', 'notes', 'http://10.92.0.2:8080');
  person = await Person.arrive();
  await person.enrol(product.ready.enrol ?? '');
  const opened = person.context.waitForEvent('page');
  await person.hub.getByRole('link', { name: 'files', exact: true }).click();
  files = await openedBy(await opened);
});
after(async () => {
  await person?.[Symbol.asyncDispose]();
  await peer?.[Symbol.asyncDispose]();
  await product?.[Symbol.asyncDispose]();
});

/** The app's frame, whose first page is still waiting. */
async function openedBy(shell: Page): Promise<OpenService> {
  const element = await shell.waitForSelector('iframe[title="files"]');
  const app = await element.contentFrame();
  return { shell, app: app ?? assert.fail('the app has no frame') };
}

async function give(shell: Page, password: string): Promise<void> {
  await shell.getByLabel('User name').fill('grace');
  await shell.getByLabel('Password', { exact: true }).fill(password);
  await shell.getByRole('button', { name: 'Sign in' }).click();
}

test('BR-1: the shell asks for the password that a page wants, says when it was wrong, and the page comes', async () => {
  const { shell, app } = files;
  await shell.getByText('asks for a user name and a password').waitFor();
  await give(shell, 'guessed');
  await shell.getByText('That was not accepted').waitFor();
  await give(shell, 'hopper £');
  await app.getByRole('heading', { name: 'The files' }).waitFor();
  await shell.getByLabel('User name').waitFor({ state: 'detached' });
});

test('BR-1: what else the page asks goes with the password, and no script of the page can read it', async () => {
  const { app } = files;
  assert.equal(await app.evaluate(async () => (await fetch('/more')).status), 200);
  assert.equal(heard.at(-1)?.authorization, right);
  const seen = await app.evaluate(() => JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }]));
  assert.ok(!/hopper|aG9wcGVy/.test(seen));
});

test('BR-1: user and password of XMLHttpRequest.open reach the service as Authorization, and nothing of them its path', async () => {
  const { app } = files;
  const from = heard.length;
  const status = await app.evaluate(
    () =>
      new Promise((resolve) => {
        const request = new XMLHttpRequest();
        request.open('PROPFIND', '/dav?depth=1', true, 'grace', 'hopper £');
        request.onloadend = () => resolve(request.status);
        request.send('<propfind/>');
      }),
  );
  assert.equal(status, 200);
  assert.deepEqual(
    heard.slice(from).map(({ target, authorization }) => [target, authorization]),
    [
      ['/dav?depth=1', undefined],
      ['/dav?depth=1', right],
    ],
  );
});

test('QHX-6: a fetch without credentials carries no cookie and no password, and leaves none', async () => {
  const { app } = files;
  const statuses = await app.evaluate(async () => [
    (await fetch('/open', { credentials: 'omit' })).status,
    (await fetch('/open')).status,
    (await fetch('/open?again', { credentials: 'omit' })).status,
    (await fetch('/open?cookies')).status,
  ]);
  assert.deepEqual(statuses, [200, 200, 401, 200]);
  const [first, second, third, fourth] = heard.slice(-4);
  for (const one of [first, third]) assert.deepEqual([one?.cookie, one?.authorization], [undefined, undefined]);
  assert.equal(second?.cookie, undefined);
  assert.deepEqual(fourth?.cookie?.split('; ').sort(), ['kept=1', 'seen=1']);
});

test('BR-1: a person who would rather not sees what the service shows to nobody', async () => {
  const { shell, app } = files;
  await shell.reload();
  const again = await openedBy(shell).catch(() => ({ shell, app }));
  await again.shell.getByRole('button', { name: 'Not now' }).click();
  const frame = again.shell.frameLocator('iframe[title="files"]');
  await frame.getByRole('heading', { name: 'Closed' }).waitFor();
});

/** In the shell, as a person fills in its form. */
async function answerForm(password: string): Promise<void> {
  const form = () =>
    document
      .querySelector('lk-shell')
      ?.shadowRoot?.querySelector('lk-password-bar')
      ?.shadowRoot?.querySelector<HTMLFormElement>('form');
  while (form() == null) await new Promise((resolve) => setTimeout(resolve, 50));
  for (const [name, value] of [
    ['user', 'grace'],
    ['password', password],
  ] as const)
    Object.assign(form()?.elements.namedItem(name) ?? {}, { value });
  form()?.requestSubmit();
}

test('BR-1: in Firefox too the shell asks for a password, and what waited for it goes on', async () => {
  await using visitor = await arrive('firefox');
  await visitor.enrol(await linkFor(product, 'firefox', 'admins'));
  const { shell, app } = await visitor.open('notes');
  const waiting = app.evaluate(async () => {
    const answers = await Promise.all([fetch('/one'), fetch('/two', { method: 'POST', body: 'sent twice' })]);
    return answers.map(({ status }) => status);
  });
  await shell.evaluate(answerForm, 'hopper £');
  assert.deepEqual(await waiting, [200, 200]);
  await app.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const frame = Object.assign(document.createElement('iframe'), { src: '/page' });
        frame.onload = () => frame.contentDocument?.title === 'Files' && resolve();
        document.body.append(frame);
      }),
  );
});
