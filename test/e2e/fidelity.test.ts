/** One table of what pages see, run directly and through Latchkey, over WebTransport and over WebSocket. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Frame } from 'playwright-core';
import { LocalPeer } from './support/browser-peer.ts';
import { needsNft, UdpBlock } from './support/browser-udp.ts';
import { checks } from './support/fidelity-checks.ts';
import { fidelityService } from './support/fidelity-service.ts';
import { Person, statusOf } from './support/person.ts';
import { Product } from './support/product.ts';

/** A check that hangs is told by its name. */
const patienceMs = 30_000;

let product: Product;
let person: Person;
let peer: LocalPeer;
let direct: Server;

before(async () => {
  product = await Product.start();
  peer = await LocalPeer.publish(product, 'depot');
  peer.serve(fidelityService());
  direct = createServer(fidelityService()).listen(0, '127.0.0.1');
  person = await Person.arrive();
  await person.enrol(product.ready.enrol ?? '');
});
after(async () => {
  direct?.close().closeAllConnections();
  await person?.[Symbol.asyncDispose]();
  await peer?.[Symbol.asyncDispose]();
  await product?.[Symbol.asyncDispose]();
});

type Check = (typeof checks)[number];

/** Every line of the table, told by its name. */
async function runAll(page: Frame, seen: (check: Check) => unknown): Promise<void> {
  const wrong: string[] = [];
  for (const check of checks) wrong.push(...(await faultOf(page, check, seen(check))));
  assert.deepEqual(wrong, []);
  assert.ok(checks.length > 30, `${checks.length} checks`);
}

/** @returns what a page saw in place of what it should, if it did */
async function faultOf(page: Frame, { name, run }: Check, expected: unknown): Promise<string[]> {
  const outcome = await Promise.race([
    page.evaluate(run).catch((error: Error) => `threw ${error.message}`),
    pause(patienceMs, 'never ended', { ref: false }),
  ]);
  if (isDeepStrictEqual(outcome, expected)) return [];
  return [`${name}: ${JSON.stringify(outcome)} and not ${JSON.stringify(expected)}`];
}

test('the table is true of a visit without Latchkey', async (t) => {
  const page = await person.context.newPage();
  page.on('requestfailed', (request) => t.diagnostic(`${request.url()} ${request.failure()?.errorText}`));
  await page.goto(`http://direct.localhost:${(direct.address() as AddressInfo).port}/`);
  for (const check of checks) {
    const expected = check.direct ?? check.expected;
    const faults = await faultOf(page.mainFrame(), check, expected);
    // This is of the table, not of the product: a row that the machine was too busy for is looked at again, and said.
    for (const fault of faults) t.diagnostic(fault);
    if (faults.length > 0) assert.deepEqual(await faultOf(page.mainFrame(), check, expected), []);
  }
  await page.close();
});

test('BR-1: app-access: pages see through Latchkey what they see without it, over WebTransport', async () => {
  const { shell, app } = await person.open('depot');
  assert.equal((await statusOf(shell)).transport, 'webtransport');
  await runAll(app, ({ expected }) => expected);
  await shell.close();
});

test('BR-6: app-access: pages see the same over WebSocket', needsNft, async () => {
  using block = new UdpBlock(product.ready.port);
  const { shell, app } = await person.open('depot');
  assert.equal((await statusOf(shell)).transport, 'websocket');
  await runAll(app, ({ expected }) => expected);
  assert.ok(block.dropped > 0);
  await shell.close();
});
