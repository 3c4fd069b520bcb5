/**
 * A browser and services that are nowhere but in a far network behind a real wireguard-go: what others see of it, and
 * what a person sees when a part of the way is killed.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { needsNamespaces } from '../support/namespace.ts';
import { Capture, udpPayloads, wireGuardTypes } from './support/browser-capture.ts';
import { failureIn } from './support/browser-failure.ts';
import { statusSeen, untilStates, watchStatus } from './support/browser-shell.ts';
import { FarNetwork, farAddress, notesPort, wikiPort } from './support/far-network.ts';
import { endOf, eventAfter } from './support/node-audit.ts';
import { Canaries } from './support/node-canaries.ts';
import { type OpenService, Person, statusOf } from './support/person.ts';
import { Product } from './support/product.ts';

const wireGuardPort = 51_820;

let product: Product;
let far: FarNetwork;
let person: Person;
let notes: OpenService;
let wiki: OpenService;
const secrets = new Canaries();

before(async () => {
  if ('skip' in needsNamespaces) return;
  product = await Product.start();
  far = new FarNetwork();
  await far.joinTo(product);
  person = await Person.arrive();
  await person.enrol(product.ready.enrol ?? '');
  notes = await person.open('Field notes');
});
after(async () => {
  await person?.[Symbol.asyncDispose]();
  await product?.[Symbol.asyncDispose]();
  await far?.[Symbol.asyncDispose]();
});

/** What a plain HTTP request from this side of WireGuard gets: a page, or how it failed. */
async function ask(host: string, port: number): Promise<string> {
  const socket = connect({ host, port, signal: AbortSignal.timeout(2_000) });
  socket.write('GET / HTTP/1.0\r\n\r\n');
  let answer = '';
  try {
    for await (const chunk of socket) answer += chunk;
    return answer;
  } catch (error) {
    return (error as { code?: string }).code ?? 'unknown';
  } finally {
    socket.destroy();
  }
}

/** Resolves when the gateway keeps no connection to the services: what it asks next, it asks on a new one. */
async function untilIdle(): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (far.namespace.exec('ss', '-Htn', 'state', 'established').trim() !== '') {
    assert.ok(performance.now() < deadline, 'the gateway never lets go of its connections');
    await pause(100);
  }
}

test(
  'BR-7: the services listen on the tunnel’s address in the far namespace and nowhere else',
  needsNamespaces,
  async () => {
    const listening = far.namespace
      .exec('ss', '-Hltn')
      .split('\n')
      .flatMap((line) => line.trim().split(/\s+/)[3] ?? []);
    assert.deepEqual(listening.sort(), [`${farAddress}:${wikiPort}`, `${farAddress}:${notesPort}`]);
    for (const port of [wikiPort, notesPort]) {
      assert.equal(await ask(far.namespace.far4, port), 'ECONNREFUSED', 'the veth answers, the service does not');
      // Some networks answer for every address; what they say is not ours.
      assert.doesNotMatch(await ask(farAddress, port), /Field notes|TiddlyWiki/);
    }
  },
);

test('BR-7: what the page shows is in no packet on the way but WireGuard’s', needsNamespaces, async () => {
  const marker = `marker-${crypto.randomUUID()}`;
  const outside = await Capture.start(far.namespace.nearDevice);
  const inside = await Capture.start(`${far.namespace.name}w0`, far.namespace);
  await notes.app.getByLabel('Your name').fill(marker);
  await notes.app.getByRole('button', { name: 'Sign in to Field notes' }).click();
  await notes.app.locator('#account', { hasText: marker }).waitFor();
  const [packets, plain] = [await outside.end(), await inside.end()];

  // The service's HttpOnly cookie, as only the service and the gateway know it.
  secrets.add('cookie', /demo_session=([\w-]{22});/.exec(Buffer.concat(plain).toString('latin1'))?.[1] ?? '');
  const has = (packet: Buffer) => packet.includes(marker);
  assert.ok(plain.some(has), 'behind WireGuard the marker is found, so it would be found before it');
  assert.equal(packets.filter(has).length, 0);
  const messages = udpPayloads(packets, wireGuardPort);
  const data = messages.filter((message) => message.readUInt32LE(0) === wireGuardTypes.data);
  assert.ok(data.length >= 4, `${data.length} data messages`);
  const known = new Set<number>(Object.values(wireGuardTypes));
  assert.ok(messages.every((message) => known.has(message.readUInt32LE(0))));
});

test(
  'BR-7: the gateway is killed, and the pages go on: nothing typed, signed in or loaded is lost',
  needsNamespaces,
  async () => {
    wiki = await person.open('Team wiki');
    await wiki.app.locator('button[aria-label="new tiddler"]').first().click();
    const title = wiki.app.locator('input.tc-titlebar').first();
    await title.fill('Written before the fall');
    const editor = wiki.app.frameLocator('iframe.tc-edit-texteditor-body').locator('textarea');
    await editor.fill('Typed and not saved.');

    const sentinel = crypto.randomUUID();
    const tabs = [wiki, notes];
    for (const { app, shell } of tabs) {
      await app.evaluate((value) => Object.assign(window, { sentinel: value }), sentinel);
      await shell.evaluate((value) => Object.assign(window, { sentinel: value }), sentinel);
      await watchStatus(shell);
    }
    const restarted = product.restarted('gateway');
    process.kill(product.ready.pids.gateway!, 'SIGKILL');
    await restarted;
    for (const { shell } of tabs) await untilStates(shell, 'open', 'connecting', 'open');

    for (const { app, shell } of tabs) {
      for (const realm of [app, shell.mainFrame()])
        assert.equal(await realm.evaluate(() => (window as { sentinel?: string }).sentinel), sentinel);
      const states = (await statusSeen(shell)).map(({ state }) => state);
      assert.ok(!states.includes('refused') && !states.includes('closed'), states.join(' '));
      assert.equal((await statusOf(shell)).state, 'open');
    }
    assert.equal(await editor.inputValue(), 'Typed and not saved.');
    const path = '/recipes/default/tiddlers/Written%20before%20the%20fall';
    const saved = person.context.waitForEvent('requestfinished', {
      predicate: (request) => request.method() === 'PUT' && request.url().endsWith(path),
    });
    await wiki.app.locator('button[aria-label="Confirm changes to this tiddler"]').first().click();
    assert.equal((await (await saved).response())?.status(), 204);
    const stored = await wiki.app.evaluate(async (address) => (await fetch(address)).json(), path);
    assert.equal(stored.text, 'Typed and not saved.');

    const who = await notes.app.evaluate(async () => (await fetch('/whoami')).json());
    assert.match(who.signedInAs, /^marker-/, 'the sign-in of the test before, in the jar that the dead gateway kept');
    assert.deepEqual(secrets.inFolder(product.data), [], 'the jar is on disk, and sealed');
  },
);

test('BR-7: the app fails when wireguard-go stops, and is back when it runs again', needsNamespaces, async () => {
  const from = await endOf(product);
  await untilIdle();
  await far.stopWireGuard();
  const fetched = wiki.app.evaluate(() => fetch('/status').then(String, (error) => error.name));
  fetched.catch(() => undefined);
  await notes.app.evaluate(() => location.assign('/landed'));
  const failure = await failureIn(notes.app);
  assert.equal(await fetched, 'TypeError');
  assert.match(failure.code, /^(timeout|unreachable)$/);
  assert.match(failure.text, /Try again/);
  const event = await eventAfter(product, from, ({ correlation }) => correlation === failure.correlation);
  assert.equal(event.service, 'notes');

  await far.startWireGuardAgain();
  await notes.app.evaluate(() => location.reload());
  await notes.app.getByRole('heading', { name: 'You have landed' }).waitFor();
});
