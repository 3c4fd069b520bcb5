/** The way from an enrolment link to an open app, in both browsers, over both transports. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { arrive } from './support/arrive.ts';
import { Product } from './support/product.ts';
import { settingsFor, type Visit, type Visitor, ways } from './support/visitor.ts';

for (const way of ways) {
  const { browser, transport } = way;
  describe(`${browser} over ${transport}`, () => {
    let product: Product;
    let visitor: Visitor;
    let demo: Visit;

    before(async () => {
      product = await Product.start(settingsFor(way));
      visitor = await arrive(browser);
      await visitor.enrol(product.ready.enrol ?? '');
      demo = await visitor.open('demo');
    });
    after(async () => {
      await visitor?.[Symbol.asyncDispose]();
      await product?.[Symbol.asyncDispose]();
    });

    test(`BR-6: the tunnel stands (${browser}, ${transport})`, async () => {
      const { state, transport: used } = await demo.status();
      assert.deepEqual([state === 'open' || state === 'rekeying', used], [true, transport]);
    });

    test(`BR-1: the app's pages and requests come through it (${browser}, ${transport})`, async () => {
      assert.match(await demo.app.evaluate(() => document.body.textContent), /Field notes/);
      const status = await demo.app.evaluate(async (path) => (await fetch(path)).status, '/whoami');
      assert.equal(status, 200);
      const echoed = await demo.app.evaluate(
        () =>
          new Promise((resolve) => {
            const socket = new WebSocket('/echo');
            socket.onopen = () => socket.send('through the tunnel');
            socket.onmessage = ({ data }) => resolve(data);
            socket.onclose = ({ code }) => resolve(code);
          }),
      );
      assert.equal(echoed, 'through the tunnel');
    });

    test(`no page has complained (${browser}, ${transport})`, () => {
      assert.deepEqual(
        visitor.console.filter((line) => /^(error|uncaught)/.test(line)),
        [],
      );
    });
  });
}
