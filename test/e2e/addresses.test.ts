/**
 * What hangs on the address of a page and on the tab it is in, in both browsers: a deep link of a person who is signed
 * out leads to the sign-in and then to the very place it named, each tab has its tunnel to itself, and cookies go where
 * their path says.
 */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { siblingOrigin } from '../../worker/origins.ts';
import { arrive } from './support/arrive.ts';
import { LocalPeer } from './support/browser-peer.ts';
import { linkFor } from './support/browser-world.ts';
import { fidelityService } from './support/fidelity-service.ts';
import { Product } from './support/product.ts';
import { browsers, type Visitor } from './support/visitor.ts';

type Holding = Window & { held: Promise<string> };

const deep = '/second?of=a%20b%26c&empty=#part/two?not=query';

let product: Product;
let peer: LocalPeer;
/** Tells of each app and target that the service is asked for. */
const asked = new EventEmitter();
before(async () => {
  product = await Product.start();
  peer = await LocalPeer.publish(product, 'depot');
  // The same service once more, as an app of its own.
  await product.cliJson('service', 'add', 'ledger', peer.url);
  const service = fidelityService();
  peer.serve((request, response) => {
    asked.emit(`${request.headers.host?.split('.')[0]}${request.url}`);
    const { pathname, searchParams } = new URL(`http://here${request.url}`);
    if (pathname !== '/pass-on') return service(request, response);
    response.writeHead(302, { location: searchParams.get('to') ?? '' }).end();
  });
});
after(async () => {
  await peer?.[Symbol.asyncDispose]();
  await product?.[Symbol.asyncDispose]();
});

for (const browser of browsers)
  describe(browser, () => {
    let visitor: Visitor;
    before(async () => {
      visitor = await arrive(browser);
      await visitor.enrol(await linkFor(product, browser, 'admins'));
    });
    after(() => visitor?.[Symbol.asyncDispose]());

    test(`QHX-6: cookies that scripts see are the same to scripts and service, whoever set them, on every path (${browser})`, async () => {
      const visit = await visitor.open('depot');
      const seen = await visit.app.evaluate(async () => {
        const lines = ['all=1', 'kept=1; Path=/deep; HttpOnly', 'seen=1; Path=/deep', 'below=1; Path=/deep/', 'gone=1'];
        const setCookies = (some: string[]) =>
          fetch(`/set-cookie?${some.map((line) => `line=${encodeURIComponent(line)}`).join('&')}`);
        await setCookies(lines);
        const atOnce = document.cookie;
        await setCookies(['gone=; Max-Age=0', 'over=1; Path=/deep/er', 'over=; Path=/deep/er; Max-Age=0']);
        // biome-ignore lint/suspicious/noDocumentCookie: as apps do it.
        document.cookie = 'own=1; path=/deep';
        const namesOf = (text: string) => text.replace(/=1/g, '').split('; ').sort().join();
        const sentTo = async (path: string) => namesOf((await (await fetch(path)).json()).headers.cookie ?? '');
        const frameAt = (path: string) =>
          new Promise<Document>((resolve) => {
            const frame = document.createElement('iframe');
            frame.src = path;
            frame.onload = () => resolve(frame.contentDocument as Document);
            document.body.append(frame);
          });
        const scriptAt = async (path: string) => namesOf((await frameAt(path)).cookie);
        // Without a path it is of the page's folder (RFC 6265bis section 5.1.4).
        await frameAt('/folder/page');
        const paths = ['/echo', '/deep', '/deep/x', '/deeper', '/folder', '/folder/other'];
        const sent = await Promise.all(paths.map(sentTo));
        return { atOnce: namesOf(atOnce), sent, script: await Promise.all(paths.map(scriptAt)) };
      });
      assert.deepEqual(seen, {
        atOnce: 'all,gone',
        sent: ['all', 'all,kept,own,seen', 'all,below,kept,own,seen', 'all', 'all,folder', 'all,folder'],
        script: ['all', 'all,own,seen', 'all,below,own,seen', 'all', 'all,folder', 'all,folder'],
      });
      await visit.close();
    });

    test(`app-access: a deep link with query and fragment survives the sign-in (${browser})`, async () => {
      const { port } = product.ready;
      const [app, shell] = [`http://depot.apps.localhost:${port}`, `http://shell.apps.localhost:${port}`];
      for (const address of [`${app}${deep}`, `${shell}/open/depot#${encodeURIComponent(deep)}`]) {
        await visitor.signOut();
        const visit = await visitor.signInFor(address, 'depot');
        assert.equal(visit.app.url(), app + deep);
        const seen = await visit.app.evaluate(() => [document.title, location.search, location.hash]);
        assert.deepEqual(seen, ['Second', '?of=a%20b%26c&empty=', '#part/two?not=query']);
        await visit.close();
      }
    });

    test(`BR-1: app-access: a page that leads its frame to another app, which leads back, is followed by the tab (${browser})`, async () => {
      const visit = await visitor.open('depot');
      const [depot, ledger] = ['depot', 'ledger'].map((name) => `http://${name}.apps.localhost:${product.ready.port}`);
      const toAndBack = `/pass-on?to=${encodeURIComponent(`${depot}${deep}`)}`;
      const [there, back] = [once(asked, `ledger${toAndBack}`), once(asked, `depot${deep.split('#')[0]}`)];
      await visit.app.evaluate((to) => location.assign(to), `${ledger}${toAndBack}`);
      await there;
      await back;
      assert.equal(
        visit.shell.url(),
        `${siblingOrigin(new URL(`${depot}`), 'shell')}/open/depot#${encodeURIComponent(deep)}`,
      );
      await visit.close();
    });

    test(`app-access: a page that sets document.domain can ask all that it could before (${browser})`, async () => {
      const visit = await visitor.open('depot');
      const statuses = await visit.app.evaluate(async () => {
        document.domain = location.hostname;
        const statusOf = (isLater: boolean, method: string) =>
          new Promise<number>((resolve) => {
            const request = new XMLHttpRequest();
            request.open(method, '/echo', isLater);
            request.onloadend = () => resolve(request.status);
            request.send('x');
          });
        return [await statusOf(true, 'GET'), await statusOf(true, 'POST'), await statusOf(false, 'GET')];
      });
      assert.deepEqual(statuses, [200, 200, 200]);
      await visit.close();
    });

    test(`BR-4: app-access: rpId abuse, cookie tossing: neither shell nor app can ask for the hub’s passkey or give the hub a cookie (${browser})`, async () => {
      const visit = await visitor.open('depot');
      const ask = async () => {
        const challenge = new Uint8Array(32);
        const rpId = 'hub.localhost';
        const outcome = (error: DOMException) => error.name;
        const get = await navigator.credentials.get({ publicKey: { challenge, rpId } }).then(() => 'given', outcome);
        const user = { id: challenge, name: 'x', displayName: 'x' };
        const pubKeyCredParams = [{ type: 'public-key' as const, alg: -7 }];
        const create = await navigator.credentials
          .create({ publicKey: { challenge, rp: { id: rpId, name: 'x' }, user, pubKeyCredParams } })
          .then(() => 'given', outcome);
        for (const domain of ['localhost', 'hub.localhost', 'apps.localhost']) {
          // biome-ignore lint/suspicious/noDocumentCookie: as apps do it.
          document.cookie = `tossed=1; path=/; domain=${domain}`;
        }
        return { get, create };
      };
      assert.deepEqual(await visit.shell.evaluate(ask), { get: 'SecurityError', create: 'SecurityError' });
      assert.deepEqual(await visit.app.evaluate(ask), { get: 'NotAllowedError', create: 'NotAllowedError' });
      const hub = await visitor.hub.evaluate(async () => [document.cookie, (await fetch('/api/session')).status]);
      assert.deepEqual(hub, ['', 200]);
      await visit.close();
    });

    test(`app-access: the end of a tab that was there first cuts nothing of another one (${browser})`, async () => {
      const [first, second] = [await visitor.open('depot'), await visitor.open('depot')];
      // Its head is there when this resolves, its body is held.
      await second.app.evaluate(async (key) => {
        const answer = await fetch(`/hold?key=${key}&begin`);
        (window as unknown as Holding).held = answer.text().catch((error) => error.name);
      }, browser);
      const counted = (key: string) =>
        second.app.evaluate(async (of) => (await (await fetch(`/count?key=${of}`)).json()).count, key);
      await first.close();
      await second.app.evaluate(async (key) => (await fetch(`/let-go?key=${key}`)).text(), browser);
      const held = await second.app.evaluate(() => (window as unknown as Holding).held);
      assert.deepEqual([held, await counted(browser)], ['begun done', 1]);
      await second.close();
    });

    test(`app-access: two users in one browser: the second one has nothing of what the gateway keeps for the first (${browser})`, async () => {
      const isOwners = async () => /owner=first/.test((await (await fetch('/echo')).json()).headers.cookie ?? '');
      const first = await visitor.open('depot');
      await first.app.evaluate(() => fetch(`/set-cookie?line=${encodeURIComponent('owner=first; Path=/; HttpOnly')}`));
      assert.equal(await first.app.evaluate(isOwners), true);
      await first.close();
      await visitor.enrol(await linkFor(product, `${browser}-second`, 'admins'));
      const second = await visitor.open('depot');
      assert.equal(await second.app.evaluate(isOwners), false);
      await second.close();
    });
  });
