/** The end of a sign-in, as an app and a person see it: what was under way waits, a passkey is touched, it goes on. */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { controlPaths } from '../../server/store/paths.ts';
import { arrive } from './support/arrive.ts';
import { LocalPeer } from './support/browser-peer.ts';
import { fidelityService } from './support/fidelity-service.ts';
import { endOf, eventAfter } from './support/node-audit.ts';
import { Product } from './support/product.ts';
import { fewerWays, type Realm, settingsFor, untilShown, type Visit, type Visitor } from './support/visitor.ts';

const mebibyte = 2 ** 20;
const question = 'goes on where it was when you have';
/** A credential that was issued before the lease ended is good to its own end. */
const credentialS = 12;

/** Ends every lease now, as their time would. @returns when no credential of theirs is good any more, ms since 1970 */
function endLeases({ data }: Product): number {
  // The control plane may be writing.
  using database = new DatabaseSync(controlPaths(data).database, { timeout: 10_000 });
  const now = Date.now();
  for (const table of ['launches', 'leases']) database.exec(`UPDATE ${table} SET ends_at = ${now}`);
  return now + credentialS * 1_000;
}

/** What the app has under way, told when it is over. */
type Began = Window & { slow: Promise<string[]>; upload: Promise<unknown> };

/** An upload that the service takes the first part of, and the rest when it is let go. */
function beginUpload(app: Realm, key: string, bytes: number): Promise<void> {
  return app.evaluate(
    ({ held, length }) => {
      const init = { method: 'POST', body: new Blob([new Uint8Array(length)]) };
      (window as unknown as Began).upload = fetch(`/hold-upload?key=${held}`, init).then(
        async (answer) => (await answer.json()).bytes,
        (error) => error.name,
      );
    },
    { held: key, length: bytes },
  );
}

const counted = (app: Realm, key: string): Promise<number> =>
  app.evaluate(async (of) => (await (await fetch(`/count?key=${of}`)).json()).count, key);

/** Requests that the service answers when they are let go: half of them have begun to answer, and half are POSTs. */
function beginRequests(app: Realm, key: string, count: number): Promise<void> {
  return app.evaluate(
    ({ held, many }) => {
      const slow = Array.from({ length: many }, (_, n) =>
        fetch(`/hold?key=${held}${n % 2 === 0 ? '&begin' : ''}`, n % 4 < 2 ? {} : { method: 'POST', body: `${n}` })
          .then((answer) => answer.text())
          .catch((error) => error.name),
      );
      (window as unknown as Began).slow = Promise.all(slow);
    },
    { held: key, many: count },
  );
}

/** Begins a request that has to wait. */
function beginLate(app: Realm, target: string): Promise<void> {
  return app.evaluate((path) => {
    const late = fetch(path).then(
      (answer) => answer.status,
      (error) => error.name,
    );
    Object.assign(window, { late });
  }, target);
}

const outcomeOf = (app: Realm, name: 'late' | 'slow' | 'upload'): Promise<unknown> =>
  app.evaluate((which) => (window as unknown as Record<string, Promise<unknown>>)[which], name);

for (const way of fewerWays) {
  const where = `${way.browser}, ${way.transport}`;
  describe(where, () => {
    let product: Product;
    let visitor: Visitor;
    let peer: LocalPeer;
    let tab: Visit;

    before(async () => {
      product = await Product.start({ ...settingsFor(way), LATCHKEY_CREDENTIAL_S: String(credentialS) });
      peer = await LocalPeer.publish(product, 'depot');
      peer.serve(fidelityService());
      visitor = await arrive(way.browser);
      await visitor.enrol(product.ready.enrol ?? '');
      tab = await visitor.open('depot');
    });
    after(async () => {
      await visitor?.[Symbol.asyncDispose]();
      await peer?.[Symbol.asyncDispose]();
      await product?.[Symbol.asyncDispose]();
    });

    test(`app-access: 20 requests and a 50 MB upload across the end of a sign-in show the app no error (${where})`, async () => {
      const { shell, app } = tab;
      const from = await endOf(product);
      await beginRequests(app, 'under-way', 20);
      await beginUpload(app, 'upload', 50 * mebibyte);
      while ((await counted(app, 'under-way')) < 20 || (await counted(app, 'upload')) === 0);
      const lapses = endLeases(product);
      await untilShown(shell, question);
      await pause(Math.max(0, lapses - Date.now()));
      // What begins now waits too.
      await beginLate(app, '/echo?late');
      await tab.signInAgain();
      await untilShown(shell, question, false);

      assert.equal(await outcomeOf(app, 'late'), 200);
      await app.evaluate(async () => {
        await fetch('/let-go?key=upload');
        await fetch('/let-go?key=under-way');
      });
      assert.equal(await outcomeOf(app, 'upload'), 50 * mebibyte);
      assert.deepEqual(
        await outcomeOf(app, 'slow'),
        Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? 'begun done' : 'done')),
      );
      assert.equal(await counted(app, 'under-way'), 20, 'the service saw each request once');
      const renewed = await eventAfter(product, from, ({ type }) => type === 'session.reauth');
      assert.equal(renewed.service, 'depot');
      const late = await eventAfter(product, from, ({ detail }) => detail?.path === '/echo');
      assert.ok(late.seq > renewed.seq, 'what began late reached the service after that');
    });

    test(`app-access: who does not want to sign in again is told what to do, and nothing is carried any more (${where})`, async () => {
      const { shell, app } = tab;
      const lapses = endLeases(product);
      await untilShown(shell, question);
      await pause(Math.max(0, lapses - Date.now()));
      await beginLate(app, '/echo?never');
      await tab.press('Not now');
      assert.equal(await outcomeOf(app, 'late'), 'TypeError');
      await untilShown(shell, 'Sign in on the hub to go on');
    });
  });
}
