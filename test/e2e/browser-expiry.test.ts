/** The end of a sign-in, as an app and a person see it: what was under way waits, a passkey is touched, it goes on. */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Frame } from 'playwright-core';
import { controlPaths } from '../../server/store/paths.ts';
import { LocalPeer } from './support/browser-peer.ts';
import { fidelityService } from './support/fidelity-service.ts';
import { endOf, eventAfter, eventsAfter } from './support/node-audit.ts';
import { type OpenService, Person } from './support/person.ts';
import { Product } from './support/product.ts';

const mebibyte = 2 ** 20;
/** A credential that was issued before the lease ended is good to its own end. */
const credentialS = 12;

let product: Product;
let person: Person;
let peer: LocalPeer;
let tab: OpenService;

before(async () => {
  product = await Product.start({ LATCHKEY_CREDENTIAL_S: String(credentialS) });
  peer = await LocalPeer.publish(product, 'depot');
  peer.serve(fidelityService());
  person = await Person.arrive();
  await person.enrol(product.ready.enrol ?? '');
});
after(async () => {
  await person?.[Symbol.asyncDispose]();
  await peer?.[Symbol.asyncDispose]();
  await product?.[Symbol.asyncDispose]();
});

/** Ends every lease now, as their time would. @returns when no credential of theirs is good any more, ms since 1970 */
function endLeases(): number {
  using database = new DatabaseSync(controlPaths(product.data).database);
  const now = Date.now();
  for (const table of ['launches', 'leases']) database.exec(`UPDATE ${table} SET ends_at = ${now}`);
  return now + credentialS * 1_000;
}

/** What the app has under way, told when it is over. */
type Began = Window & { slow: Promise<unknown>[]; upload: Promise<unknown>; feed: ReadableStreamDefaultController };

/** Sends the first half of an upload, whose rest comes when it is {@link finishUpload}ed. */
function beginUpload(app: Frame, bytes: number): Promise<void> {
  return app.evaluate(async (length) => {
    const here = window as unknown as Began;
    const body = new ReadableStream({
      start(controller) {
        here.feed = controller;
      },
    });
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
    here.upload = fetch('/upload', init).then(
      (answer) => answer.json(),
      (error) => error.name,
    );
    for (let sent = 0; sent < length / 2; sent += 65_536) here.feed.enqueue(new Uint8Array(65_536));
  }, bytes);
}

function finishUpload(app: Frame, bytes: number): Promise<unknown> {
  return app.evaluate((length) => {
    const here = window as unknown as Began;
    for (let sent = 0; sent < length / 2; sent += 65_536) here.feed.enqueue(new Uint8Array(65_536));
    here.feed.close();
    return here.upload;
  }, bytes);
}

/** Requests that the service answers when they are let go: half of them have begun to answer, and half are POSTs. */
function beginRequests(app: Frame, key: string, count: number): Promise<void> {
  return app.evaluate(
    ({ held, many }) => {
      const here = window as unknown as Began;
      here.slow = Array.from({ length: many }, (_, n) =>
        fetch(`/hold?key=${held}${n % 2 === 0 ? '&begin' : ''}`, n % 4 < 2 ? {} : { method: 'POST', body: `${n}` })
          .then((answer) => answer.text())
          .catch((error) => error.name),
      );
    },
    { held: key, many: count },
  );
}

test('app-access: 20 requests and a 50 MB upload across the end of a sign-in show the app no error', async () => {
  tab = await person.open('depot');
  const { shell, app } = tab;
  const from = await endOf(product);
  await beginRequests(app, 'under-way', 20);
  await beginUpload(app, 50 * mebibyte);
  const question = shell.getByRole('alert').filter({ hasText: 'Your sign-in has ended' });
  const lapses = endLeases();
  await question.waitFor({ timeout: 60_000 });
  await pause(Math.max(0, lapses - Date.now()));
  // What begins now waits too.
  const late = app.evaluate(() =>
    fetch('/echo?late').then(
      (answer) => answer.status,
      (error) => error.name,
    ),
  );
  const upload = finishUpload(app, 50 * mebibyte);
  const opening = person.context.waitForEvent('page');
  await shell.getByRole('button', { name: 'Sign in again' }).click();
  const popup = await opening;
  await person.lendPasskeyTo(popup);
  assert.deepEqual(
    (await eventsAfter(product, from)).filter(
      ({ type, detail }) => type === 'http.request' && detail?.path === '/echo',
    ),
    [],
    'nothing new has reached the service',
  );
  const closed = popup.waitForEvent('close');
  await popup.getByRole('button', { name: 'Use your passkey' }).click();
  await closed;
  await question.waitFor({ state: 'detached' });

  assert.equal(await late, 200);
  assert.deepEqual(await upload, { ...((await upload) as object), bytes: 50 * mebibyte });
  await app.evaluate(() => fetch('/let-go?key=under-way'));
  const answers = await app.evaluate(() => Promise.all((window as unknown as { slow: Promise<string>[] }).slow));
  assert.deepEqual(
    answers,
    Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? 'begun done' : 'done')),
  );
  const { count } = await app.evaluate(async () => (await fetch('/count?key=under-way')).json());
  assert.equal(count, 20, 'the service saw each request once');
  const renewed = await eventAfter(product, from, ({ type }) => type === 'session.reauth');
  assert.equal(renewed.service, 'depot');
});

test('app-access: who does not want to sign in again is told what to do, and nothing is carried any more', async () => {
  const { shell, app } = tab;
  const question = shell.getByRole('alert').filter({ hasText: 'Your sign-in has ended' });
  const lapses = endLeases();
  await question.waitFor({ timeout: 60_000 });
  await pause(Math.max(0, lapses - Date.now()));
  const held = app.evaluate(() =>
    fetch('/echo?never').then(
      (answer) => answer.status,
      (error) => error.name,
    ),
  );
  await shell.getByRole('button', { name: 'Not now' }).click();
  assert.equal(await held, 'TypeError');
  await shell.getByRole('heading', { name: 'Your sign-in has ended' }).waitFor();
});
