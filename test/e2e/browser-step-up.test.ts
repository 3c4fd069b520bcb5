/** Step-up as a person sees it: a real Chromium, a passkey, and a page that waits for it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Frame, Page } from 'playwright-core';
import { endOf, eventAfter } from './support/node-audit.ts';
import { type OpenService, Person } from './support/person.ts';
import { Product } from './support/product.ts';

const policies = `
@id("admins") permit (principal in Group::"admins", action, resource);
@id("fresh") forbid (principal, action == Action::"request", resource)
  when { context has method && context.method == "POST" } unless { context.amr.contains("stepUp") };
`;

let product: Product;
let person: Person;
let demo: OpenService;
const folder = mkdtempSync(join(tmpdir(), 'latchkey-policies-'));

before(async () => {
  product = await Product.start();
  person = await Person.arrive();
  await person.enrol(product.ready.enrol ?? '');
  writeFileSync(join(folder, 'policies.cedar'), policies);
  await product.cliJson('policy', 'apply', join(folder, 'policies.cedar'));
  demo = await person.open('demo');
});
after(async () => {
  await person?.[Symbol.asyncDispose]();
  await product?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const question = (shell: Page) => shell.getByRole('alert').filter({ hasText: 'asks you to confirm that it is you' });

/** What the app makes of a POST, in its own time. */
function post(body: string): Promise<number | string> {
  return demo.app.evaluate(
    (sent) =>
      fetch('/upload', { method: 'POST', body: sent }).then(
        (answer) => answer.status,
        (error: Error) => error.name,
      ),
    body,
  );
}

test('QZ-23: a request that policy wants a passkey for is held, asked for in the shell, refused when the person declines', async () => {
  assert.equal(await demo.app.evaluate(async () => (await fetch('/whoami')).status), 200);
  const from = await endOf(product);
  const declined = post('not now');
  await question(demo.shell).waitFor();
  await demo.shell.getByRole('button', { name: 'Not now' }).click();
  // To a script it is a request that failed; a page that is opened so says why.
  assert.equal(await declined, 'TypeError');
  await question(demo.shell).waitFor({ state: 'detached' });
  const event = await eventAfter(product, from, ({ reason }) => reason === 'stepup_required');
  assert.deepEqual([event.decision, event.policies], ['deny', ['fresh']]);
});

test('QZ-23: by keyboard alone: the passkey is used in a window of the hub, and the held request goes on by itself', async () => {
  const from = await endOf(product);
  const held = post('a body that was held');
  await question(demo.shell).waitFor();
  const confirm = demo.shell.getByRole('button', { name: 'Confirm with your passkey' });
  // From the toolbar, Tab comes to the buttons before it comes to the app.
  await demo.shell.getByRole('button', { name: 'Connection and sign-out' }).focus();
  await demo.shell.keyboard.press('Tab');
  assert.equal(await confirm.evaluate((button) => button.matches(':focus')), true);
  // A virtual authenticator comes to a window that is there already: until then it hears nothing of whom to listen to.
  const lent = Promise.withResolvers<void>();
  await person.context.route('**/api/services', async (route) => {
    await lent.promise;
    await route.continue();
  });
  const opening = person.context.waitForEvent('page');
  await demo.shell.keyboard.press('Enter');
  const popup = await opening;
  await person.lendPasskeyTo(popup);
  assert.equal(new URL(popup.url()).origin, new URL(product.ready.hub).origin);
  // Whoever knows the name of a window can send it elsewhere, the app too.
  assert.match(await popup.evaluate(() => window.name), /^latchkey-step-up-[0-9a-f-]{36}$/);
  lent.resolve();
  // The one press of a key was in the shell: the passkey's own prompt is all that comes behind it.
  assert.equal(await held, 200);
  await person.context.unroute('**/api/services');
  await question(demo.shell).waitFor({ state: 'detached' });
  const event = await eventAfter(product, from, ({ type }) => type === 'stepup');
  assert.deepEqual([event.decision, event.service], ['allow', 'demo']);
  // It counts for a while: nobody is asked again.
  assert.equal(await post('and another'), 200);
  assert.equal(await question(demo.shell).count(), 0);
});

/**
 * Opens the hub's window from a frame and goes through all that a shell says to it: the greeting with a port, and over the
 * port the question. Returns when the window's own end of that port has delivered the question, so all that it makes of it is done.
 */
async function askFrom(opener: Page | Frame): Promise<Page> {
  const hub = new URL(product.ready.hub).origin;
  const opening = person.context.waitForEvent('page');
  await opener.evaluate((origin) => {
    const heard: string[] = [];
    window.addEventListener('message', (event) => heard.push(event.origin));
    const opened = window.open(`${origin}/step-up`, 'latchkey-step-up');
    const ask = () => {
      const { port1, port2 } = new MessageChannel();
      opened?.postMessage({ latchkey: 'step-up', service: 'bank' }, '*', [port2]);
      port1.postMessage({ t: 'stepup', nonce: new Uint8Array(32), exporter: new Uint8Array(32) });
    };
    Object.assign(globalThis, { heard, ask });
  }, hub);
  const popup = await opening;
  await popup.getByRole('heading', { name: 'Confirm that it is you' }).waitFor();
  // It listens from when it knows the shell's origin on.
  await popup.waitForLoadState('networkidle');
  await popup.evaluate(() => {
    const delivered = new Promise<void>((resolve) =>
      window.addEventListener('message', ({ ports: [port] }) => {
        port?.addEventListener('message', () => resolve());
        port?.start();
      }),
    );
    Object.assign(globalThis, { delivered });
  });
  await opener.evaluate(() => (globalThis as unknown as { ask(): void }).ask());
  await popup.evaluate(async () => {
    await (globalThis as unknown as { delivered: Promise<void> }).delivered;
    await new Promise((painted) => requestAnimationFrame(painted));
  });
  return popup;
}

const heardBy = (opener: Page | Frame) => opener.evaluate(() => (globalThis as unknown as { heard: string[] }).heard);

test('BR-5: an app that opens the hub’s window is not heard by it, and hears nothing', async () => {
  const hub = new URL(product.ready.hub).origin;
  const intruder = await askFrom(demo.app);
  assert.equal(await intruder.getByRole('button', { name: 'Use your passkey' }).count(), 0);
  assert.equal((await heardBy(demo.app)).includes(hub), false);
  await intruder.close();
  // The same, word for word, from the shell: so it is who asks that matters.
  const popup = await askFrom(demo.shell);
  assert.equal(await popup.getByRole('button', { name: 'Use your passkey' }).count(), 1);
  assert.equal((await heardBy(demo.shell)).includes(hub), true);
  await popup.close();
});
