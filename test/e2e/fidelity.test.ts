/** One table of what pages see, run directly and through Latchkey, in both browsers over both transports. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { arrive } from './support/arrive.ts';
import { LocalPeer } from './support/browser-peer.ts';
import { linkFor } from './support/browser-world.ts';
import { checks, expectedBy } from './support/fidelity-checks.ts';
import { fidelityService } from './support/fidelity-service.ts';
import { Product } from './support/product.ts';
import { browsers, overWebSocket, type Realm, type Visitor } from './support/visitor.ts';

/** A check that hangs is told by its name. */
const patienceMs = 30_000;

const direct = createServer(fidelityService());
before(() => new Promise<void>((resolve) => direct.listen(0, '127.0.0.1', resolve)));
after(() => direct.close().closeAllConnections());

type Check = (typeof checks)[number];

/** Every line of the table, told by its name. */
async function runAll(page: Realm, seen: (check: Check) => unknown): Promise<void> {
  const wrong: string[] = [];
  for (const check of checks) wrong.push(...(await faultOf(page, check, seen(check))));
  assert.deepEqual(wrong, []);
  assert.ok(checks.length > 30, `${checks.length} checks`);
}

/** @returns what a page saw in place of what it should, if it did */
async function faultOf(page: Realm, { name, run }: Check, expected: unknown): Promise<string[]> {
  const outcome = await Promise.race([
    page.evaluate(run).catch((error: Error) => `threw ${error.message}`),
    pause(patienceMs, 'never ended', { ref: false }),
  ]);
  if (isDeepStrictEqual(outcome, expected)) return [];
  return [`${name}: ${JSON.stringify(outcome)} and not ${JSON.stringify(expected)}`];
}

for (const transport of ['webtransport', 'websocket'] as const)
  describe(transport, () => {
    let product: Product;
    let peer: LocalPeer;
    before(async () => {
      product = await Product.start(transport === 'websocket' ? overWebSocket : {});
      peer = await LocalPeer.publish(product, 'depot');
      peer.serve(fidelityService());
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

        if (transport === 'webtransport')
          test(`the table is true of a visit without Latchkey (${browser})`, async (t) => {
            const page = await visitor.visit(`http://direct.localhost:${(direct.address() as AddressInfo).port}/`);
            for (const check of checks) {
              const expected = expectedBy(browser, check, 'direct');
              const faults = await faultOf(page, check, expected);
              // This is of the table, not of the product: a row that the machine was too busy for is looked at again, and said.
              for (const fault of faults) t.diagnostic(fault);
              if (faults.length > 0) assert.deepEqual(await faultOf(page, check, expected), []);
            }
          });

        test(`BR-1, BR-6: app-access: pages see through Latchkey what they see without it (${browser}, ${transport})`, async () => {
          const visit = await visitor.open('depot');
          assert.equal((await visit.status()).transport, transport);
          await runAll(visit.app, (check) => expectedBy(browser, check, 'through Latchkey'));
        });
      });
  });
