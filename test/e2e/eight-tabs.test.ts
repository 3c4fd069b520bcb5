/** Eight tabs of three services in one browser: what they share, what they do not, and that each can go by itself. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { arrive } from './support/arrive.ts';
import { LocalPeer } from './support/browser-peer.ts';
import { fidelityService } from './support/fidelity-service.ts';
import { Product } from './support/product.ts';
import { fewerWays, type Realm, settingsFor, type Visit, type Visitor } from './support/visitor.ts';

const services = ['depot', 'mill', 'yard'] as const;
type Service = (typeof services)[number];

interface Tab {
  readonly visit: Visit;
  readonly app: Realm;
  readonly service: Service;
  /** Its own: 0 to 7. */
  readonly number: number;
}

/** What a tab keeps in its window. */
type Kept = Window & { held: Promise<string>; heard: string[]; channel: BroadcastChannel };

for (const way of fewerWays) {
  const where = `${way.browser}, ${way.transport}`;
  describe(where, () => {
    let product: Product;
    let peer: LocalPeer;
    let visitor: Visitor;
    let tabs: Tab[];

    before(async () => {
      product = await Product.start(settingsFor(way));
      peer = await LocalPeer.publish(product, 'depot');
      for (const name of services.slice(1)) await product.cliJson('service', 'add', name, 'http://10.92.0.2:8080');
      peer.serve(fidelityService());
      visitor = await arrive(way.browser);
      await visitor.enrol(product.ready.enrol ?? '');
      tabs = [];
      // Not one service after another: 0, 3 and 6 are depot, 1, 4 and 7 mill, 2 and 5 yard.
      for (let number = 0; number < 8; number += 1) {
        const service = services[number % services.length] as Service;
        const visit = await visitor.open(service);
        tabs.push({ visit, app: visit.app, service, number });
      }
    });
    after(async () => {
      await visitor?.[Symbol.asyncDispose]();
      await peer?.[Symbol.asyncDispose]();
      await product?.[Symbol.asyncDispose]();
    });

    test(`app-access: tabs of one service share its cookies and its storage, and no other service has any of it (${where})`, async () => {
      for (const { service, app } of tabs.slice(0, services.length))
        await app.evaluate(async (name) => {
          const lines = [`seen=${name}`, `kept=${name}; HttpOnly`].map((line) => `line=${encodeURIComponent(line)}`);
          await fetch(`/set-cookie?${lines.join('&')}`);
          localStorage.setItem('mark', name);
        }, service);
      for (const { service, app } of tabs) {
        const seen = await app.evaluate(async () => ({
          cookies: ((await (await fetch('/echo')).json()).headers.cookie as string).split('; ').sort(),
          script: document.cookie,
          mark: localStorage.getItem('mark'),
        }));
        const cookies = [`kept=${service}`, `seen=${service}`];
        assert.deepEqual(seen, { cookies, script: `seen=${service}`, mark: service });
      }
    });

    test(`app-access: what a tab keeps for itself, and what it says to its own origin, stays there (${where})`, async () => {
      for (const { app } of tabs)
        await app.evaluate(() => {
          const here = window as unknown as Kept;
          [here.heard, here.channel] = [[], new BroadcastChannel('news')];
          here.channel.onmessage = ({ data }) => here.heard.push(data);
        });
      for (const { number, app } of tabs)
        await app.evaluate((own) => {
          sessionStorage.setItem('own', String(own));
          (window as unknown as Kept).channel.postMessage(own);
        }, number);
      for (const { service, number, app } of tabs) {
        const others = tabs.filter((one) => one.service === service && one.number !== number).map((one) => one.number);
        const seen = await app.evaluate(async (count) => {
          const { heard, channel } = window as unknown as Kept;
          while (heard.length < count)
            await new Promise((resolve) => channel.addEventListener('message', resolve, { once: true }));
          return { own: sessionStorage.getItem('own'), heard: heard.toSorted() };
        }, others.length);
        assert.deepEqual(seen, { own: String(number), heard: others });
      }
    });

    test(`app-access: closing any one of them disturbs none of the others (${where})`, async () => {
      for (const { number, app } of tabs)
        await app.evaluate((key) => {
          const held = fetch(`/hold?key=${key}&begin`).then(
            (answer) => answer.text(),
            (error) => error.name,
          );
          (window as unknown as Kept).held = held;
        }, `tab-${number}`);
      // The first of each service early, whose helper the others might have leant on.
      const order = [0, 7, 2, 1, 3, 5, 4, 6];
      for (const [closed, number] of order.slice(0, -1).entries()) {
        await tabs[number]?.visit.close();
        const left = order.slice(closed + 1).map((one) => tabs[one] as Tab);
        for (const { number: own, app } of left) {
          const target = await app.evaluate(async (at) => (await (await fetch(`/echo?at=${at}`)).json()).target, own);
          assert.equal(target, `/echo?at=${own}`);
        }
        // What was under way in the next one to go has outlived all closings so far, and comes to its end.
        const [{ app, number: next }] = left as [Tab];
        const seen = await app.evaluate(async (key) => {
          await fetch(`/let-go?key=${key}`);
          const { count } = await (await fetch(`/count?key=${key}`)).json();
          return { held: await (window as unknown as Kept).held, count };
        }, `tab-${next}`);
        assert.deepEqual(seen, { held: 'begun done', count: 1 });
      }
    });
  });
}
